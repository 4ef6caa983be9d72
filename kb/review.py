"""Which review state a text has after something happened to it (pure). A state holds for one digest of the text: what
is written in the file itself never decides it."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from kb.principal import Face, Principal, Role
from kb.runbook import ReviewState

DYNAMIC_FOLDER = "dynamic"

# Who publishes by writing. An agent, a webhook or this process may write; a person reads it before it counts.
_PUBLISHING_ROLES = frozenset({Role.APPROVER, Role.ADMIN, Role.LOCAL})
_PERSONAL_FACES = frozenset({Face.HTTP, Face.WEB, Face.CLI})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a document stands: its state, and the digest that a person (or this release's own bundle) published."""

    state: ReviewState
    published_sha256: str | None


# From the path, the digest and the standing of the document's last text (None for a new one) to that of this text.
Judge = Callable[[str, str, Standing | None], Standing]


def is_dynamic(path: str) -> bool:
    """Whether a path relative to the runbooks folder lies under `dynamic/`, where learned text lives."""
    return path.split("/", 1)[0] == DYNAMIC_FOLDER


def publishes_by_writing(principal: Principal) -> bool:
    """Whether what this principal writes needs no second look: a person's face and a role that may publish."""
    return principal.role in _PUBLISHING_ROLES and principal.face in _PERSONAL_FACES


def seen_on_disk(path: str, sha256: str, before: Standing | None, trusted: Set[str]) -> Standing:
    """The standing of a text found in a file. `before` is that of the document's last text, None for a new document.

    A text equal to the published one is published: reverting a file on disk needs no new act. The digests in `trusted`
    are those of the bundled runbooks.
    """
    published = before.published_sha256 if before else None
    if sha256 in trusted:
        return Standing(ReviewState.PUBLISHED, sha256)
    if published is not None and sha256 == published:
        return Standing(ReviewState.PUBLISHED, published)
    if is_dynamic(path) and published is None:
        return Standing(ReviewState.DRAFT, None)
    return Standing(ReviewState.UNREVIEWED, published)


def written_by(principal: Principal, path: str, sha256: str, before: Standing | None) -> Standing:
    """The standing of a text that came in through a face. Learned places hold drafts, whoever writes there."""
    published = before.published_sha256 if before else None
    if published is not None and sha256 == published:
        return Standing(ReviewState.PUBLISHED, published)
    if is_dynamic(path):
        return Standing(ReviewState.DRAFT, published)
    if publishes_by_writing(principal):
        return Standing(ReviewState.PUBLISHED, sha256)
    return Standing(ReviewState.UNREVIEWED, published)


def moved_on_disk(old_path: str, new_path: str, before: Standing) -> Standing:
    """The standing after a file moved. Between learned and static folders approval does not travel: promotion is an
    act of a person through a face, never a `mv`."""
    if is_dynamic(old_path) == is_dynamic(new_path):
        return before
    return Standing(ReviewState.DRAFT if is_dynamic(new_path) else ReviewState.UNREVIEWED, None)
