"""Which words of an alert, a log line or a question to search by. Names of machines, times, digests and measured values
say where and when something happened, and drown the words that say what. Pure; works word by word, in linear time."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kb.words import word_set

MAX_WORD_CHARS = 200  # longer ones are encoded blobs

_WRAPPING = "\"'`()[]{}<>,;:!?*|…“”‘’"
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://\S+", re.IGNORECASE)
_IP = re.compile(
    r"(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?:/\d{1,2})?|\[?[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}\]?(?::\d+)?", re.I
)
_TIME = re.compile(
    r"\d{4}[-/]\d\d[-/]\d\d(?:[T_]\d\d:\d\d(?::\d\d)?\S{0,16})?|\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?|"
    r"[IWEF]\d{4}"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_DIGEST = re.compile(
    r"(?:sha\d{1,3}:)?(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,128}|0x[0-9a-f]{2,32}|[0-9A-Z]{26}", re.I
)
_POD = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)-(?=[a-f0-9]{0,9}[0-9])[a-f0-9]{6,10}-[a-z0-9]{5}")
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,10}\.?(?::\d{1,5})?", re.I)
_NUMBERED = re.compile(r"([a-z][a-z0-9_-]*?[a-z])[-_.]\d{1,4}")
_AMOUNT = re.compile(
    r"[<>=~±+≥≤-]*[$€£]?\d+(?:[.,]\d+)*(?:%|ms|us|µs|ns|s|sec|secs|m|min|mins|h|hs|hr|hrs|d|w|y|x|k|[kmgtp]i?b?(?:/s|ps)?|b|bytes|rps|qps)?",
    re.I,
)
_DURATION = re.compile(r"(?:\d+(?:h|m|s|d|ms)){2,4}", re.I)
_UNITS = word_set(
    "second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months ms "
    "milliseconds bytes byte kb mb gb tb kib mib gib percent"
)
_HTTP = word_set(
    "400 401 403 404 405 408 409 410 412 413 421 422 429 431 451 499 500 501 502 503 504 507 509 520 522 524"
)
_HOST_ENDS = word_set(
    "com net org io dev cloud app local internal lan corp intra home svc cluster example test prod invalid localdomain"
)
_HOST_NOISE = _HOST_ENDS | {"www", "default", "compute", "ec2", "us", "eu", "ap"}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left to search by, the names of pods that were met, and the links that were taken out."""

    text: str
    pods: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def clean(text: str, *, known_values: Collection[str] = ()) -> Cleaned:
    """Drop what names an instance, a time or an amount. `known_values` are values of labels that name instances; they
    go wherever they stand. Numbers that tell kinds of trouble apart stay: HTTP codes, 4xx, 99th, p95, a port that is
    named as one."""
    pods: list[str] = []
    links: list[str] = []
    kept: list[str] = []
    previous = ""
    for word in text.split():
        url = _URL.search(word) if "://" in word else None
        if url is not None:
            links.append(url[0].rstrip(".,;:)]}>'\""))
            word = word[: url.start()]
        if len(word) > MAX_WORD_CHARS:
            continue
        pod = _POD.search(word)
        if pod is not None:
            pods.append(word.strip(_WRAPPING).rpartition("/")[2])
        kept.extend(_kept(word, previous, known_values))
        previous = word
    return Cleaned(" ".join(kept), tuple(dict.fromkeys(pods)), tuple(dict.fromkeys(links)))


def _kept(word: str, previous: str, known_values: Collection[str]) -> Iterator[str]:
    core = word.strip(_WRAPPING)
    bare = core.rstrip(".")
    if not bare:
        if core or word in {"/", "-", "--", "|"}:
            return
        return
    if bare in known_values:
        yield from _ending(word)
        return
    if "/" in bare and not bare.startswith("/"):
        parts = bare.split("/")
        left = [part for part in parts if part and part not in known_values and not _is_noise(part, previous)]
        if len(left) < len([part for part in parts if part]):
            yield from left
            yield from _ending(word)
            return
    if _is_noise(bare, previous):
        yield from _ending(word)
        return
    numbered = _NUMBERED.fullmatch(bare)
    if numbered is not None:
        yield numbered[1]
        yield from _ending(word)
        return
    if _is_host(bare):
        names = [part for part in re.split(r"[.:]", bare.lower()) if part not in _HOST_NOISE and not part.isdigit()]
        yield from names
        return
    yield word


def _ending(word: str) -> Iterator[str]:
    """The full stop of a dropped word, so that sentences stay apart."""
    if word.endswith("."):
        yield "."


def _is_noise(word: str, previous: str) -> bool:
    if word[0].isdigit() or word[0] in "<>=~+-$€£±≥≤" or not word[0].isalnum():
        if word in _HTTP:
            return False
        if previous.lower().rstrip(":=") == "port" and word.isdigit():
            return False
        if _AMOUNT.fullmatch(word) or _DURATION.fullmatch(word) or _TIME.fullmatch(word) or _IP.fullmatch(word):
            return not _is_kind_of_code(word)
    if word.lower() in _UNITS and previous[:1].isdigit():
        return True
    return bool(
        _UUID.fullmatch(word)
        or _DIGEST.fullmatch(word)
        or _TIME.fullmatch(word)
        or _POD.fullmatch(word)
        or _IP.fullmatch(word)
    )


def _is_kind_of_code(word: str) -> bool:
    return len(word) == 3 and word[0] in "12345" and word[1:].lower() == "xx"


def _is_host(word: str) -> bool:
    return (
        "." in word
        and word.lower().rstrip(".").split(":")[0].rpartition(".")[2] in _HOST_ENDS
        and bool(_HOST.fullmatch(word))
    )
