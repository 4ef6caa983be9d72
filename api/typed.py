"""Which searches a person typed on the way to another: the page searches with every key, and only the last one tells
what they were looking for."""

import threading
from collections import OrderedDict, deque
from datetime import timedelta

from kb.principal import Face
from kb.search_log import SearchRecord

PAUSE = timedelta(seconds=10)
"""Whoever types on within it was not done."""

_MAX_PEOPLE = 1000
_MAX_AT_ONCE = 8  # without keys all who search at the same time bear one name
_MIN_COMMON = 3  # characters
_MAX_CHARS = 1000  # nobody types more; what is longer was pasted


class TypedSearches:
    """Remembers the latest search of everybody who types. Safe to call from many threads."""

    def __init__(self) -> None:
        self._latest: OrderedDict[str, deque[SearchRecord]] = OrderedDict()
        self._lock = threading.Lock()

    def step_before(self, record: SearchRecord) -> str | None:
        """The id of the search that this one goes on from; None for a search of its own."""
        if record.face is not Face.WEB:
            return None
        with self._lock:
            mine = self._latest.setdefault(record.principal, deque(maxlen=_MAX_AT_ONCE))
            self._latest.move_to_end(record.principal)
            if len(self._latest) > _MAX_PEOPLE:
                self._latest.popitem(last=False)
            earlier = next((one for one in reversed(mine) if _goes_on(one, record)), None)
            if earlier is not None:
                mine.remove(earlier)
            mine.append(record)
        return None if earlier is None else earlier.search_id


def is_continued(earlier: str, later: str) -> bool:
    """Whether a text became another by typing: more at its end, less, or a change after half of it."""
    shorter, longer = sorted((" ".join(text[:_MAX_CHARS].split()) for text in (earlier, later)), key=len)
    common = next((at for at, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return common == len(shorter) or common >= max(_MIN_COMMON, (len(shorter) + 1) // 2)


def _goes_on(earlier: SearchRecord, later: SearchRecord) -> bool:
    return later.event_time - earlier.event_time <= PAUSE and is_continued(earlier.query, later.query)
