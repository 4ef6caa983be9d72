"""Where a runbook that comes in through a face goes, and what its text may call itself (pure)."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from kb.errors import InvalidInput
from kb.review import is_dynamic
from kb.runbook import RunbookType
from kb.runbook_store import NewRunbook
from kb.slugs import is_valid_id

_FOLDERS: Mapping[RunbookType, str] = MappingProxyType(
    {
        RunbookType.STATIC: "static",
        RunbookType.TEMPLATE: "static/templates",
        RunbookType.DYNAMIC: "dynamic/resolutions/manual",
    }
)
_FOLDER = re.compile(r"(static|dynamic)(/[a-z0-9][a-z0-9-]{0,63}){0,6}")


def path_for(new: NewRunbook) -> str:
    """Where a new runbook goes. Raises `InvalidInput` for an id or a folder that is none (pure)."""
    if not is_valid_id(new.id):
        raise InvalidInput(
            "id",
            f"{new.id[:120]!r} is not a runbook id",
            advice="Use up to 100 lower-case letters, digits and hyphens, and none of the reserved words.",
        )
    folder = new.folder or _FOLDERS[new.type]
    kind = "dynamic" if new.type is RunbookType.DYNAMIC else "static"
    if _FOLDER.fullmatch(folder) is None or folder.split("/")[0] != kind:
        raise InvalidInput(
            "folder",
            f"{folder[:120]!r} is no place for a {new.type.value} runbook",
            advice=f"Use {kind}/ or one below it.",
        )
    return f"{folder}/{new.id}.md"


def promoted_path(path: str, folder: str) -> str:
    """Where a learned runbook goes when it becomes a static one. Raises `InvalidInput` when it is none (pure)."""
    if not is_dynamic(path):
        raise InvalidInput("id", f"{path} is no learned runbook", advice="Only those below dynamic/ can be promoted.")
    if _FOLDER.fullmatch(folder) is None or is_dynamic(folder):
        raise InvalidInput("folder", f"{folder[:120]!r} is no static folder", advice="Use static/ or one below it.")
    return f"{folder}/{path.rsplit('/', 1)[-1]}"


def id_mismatch(found: str, wanted: str) -> InvalidInput:
    return InvalidInput(
        "content",
        f"the text calls itself '{found}', and the runbook's id is '{wanted}'",
        advice=f"Write `id: {wanted}` in the front matter, or leave a text without an id to its file's name.",
    )
