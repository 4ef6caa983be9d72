"""What people look for and do not find: finished searches without a confident answer, grouped by likeness. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from learner.insight import ActionKind, FailedSearch, Insight, InsightAction, InsightKind
from learner.signature import sign
from learner.words import terms_in

MIN_PEOPLE = 2
MIN_DAYS = 3
"""One person who comes back with it on so many days misses something too; it still counts as one person."""

ALIKE = 0.5
"""Share of common terms (Jaccard) from which two searches look for one thing: half the words differ at most."""

MAX_SEARCHES = 2000
MAX_QUERY_CHARS = 120


@dataclass(frozen=True, slots=True)
class _Wording:
    """All searches of the same terms."""

    terms: frozenset[str]
    searches: tuple[FailedSearch, ...]


def find_gaps(searches: Sequence[FailedSearch]) -> list[Insight]:
    """One insight for each group that several people, or one on several days, searched for. A person who repeats a
    search counts once; of very many searches the latest are looked at."""
    latest = sorted(searches, key=lambda one: (one.event_time, one.search_id))[-MAX_SEARCHES:]
    groups: list[list[_Wording]] = []
    for wording in _wordings(latest):
        group = next((known for known in groups if _alike(known[0].terms, wording.terms)), None)
        if group is None:
            groups.append([wording])
        else:
            group.append(wording)
    return [gap for group in groups if (gap := _gap(group)) is not None]


def _wordings(searches: Iterable[FailedSearch]) -> list[_Wording]:
    """The commonest first, so that rare ones join them and not the other way round."""
    found: defaultdict[frozenset[str], list[FailedSearch]] = defaultdict(list)
    for search in searches:
        terms = frozenset(terms_in(sign(search.query, "").title))
        if terms:
            found[terms].append(search)
    wordings = [_Wording(terms, tuple(those)) for terms, those in found.items()]
    return sorted(wordings, key=lambda one: (-len(_people(one.searches)), -len(one.searches), sorted(one.terms)))


def _gap(group: Sequence[_Wording]) -> Insight | None:
    searches = [search for wording in group for search in wording.searches]
    people = _people(searches)
    days = {(search.principal, search.event_time.date()) for search in searches}
    if len(people) < MIN_PEOPLE and len(days) < MIN_DAYS:
        return None
    said = Counter(" ".join(search.query.split()) for search in group[0].searches)
    title = min(said, key=lambda text: (-said[text], text))[:MAX_QUERY_CHARS]
    more = f" and {len(group) - 1} like it" if len(group) > 1 else ""
    who = f"{len(people)} people" if len(people) > 1 else f"one person, on {len(days)} days,"
    times = "once" if len(searches) == 1 else f"{len(searches)} times"
    return Insight(
        InsightKind.FAILED_SEARCHES,
        f"“{title}”{more}: {who} searched {times} and found nothing that fits",
        float(len(people)),
        InsightAction(ActionKind.WRITE_RUNBOOK, title),
        search_ids=tuple(search.search_id for search in searches),
    )


def _people(searches: Iterable[FailedSearch]) -> frozenset[str]:
    return frozenset(search.principal for search in searches)


def _alike(left: frozenset[str], right: frozenset[str]) -> bool:
    return len(left & right) >= ALIKE * len(left | right)
