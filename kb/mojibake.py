"""UTF-8 that was read as Windows-1252 or Mac Roman and saved as UTF-8 again, undone character by character, so that one
damaged byte does not keep a whole line damaged. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

_LATIN_LEADS = "\xc2\xc3"
_RARE_LEADS = "\xc4\xc5\xce\xcf\xd0\xd1"
"""Lead bytes of Greek, Cyrillic and Central European letters: believed only when they come in numbers."""
_MIN_RARE = 3
_MIN_MAC_LATIN = 2


@dataclass(frozen=True, slots=True)
class Mended:
    """`sequences` counts the characters restored; 0 leaves `encoding` empty and `text` as it was. `first_line` is
    1-based."""

    text: str
    encoding: str = ""
    sequences: int = 0
    first_line: int = 0


@dataclass(frozen=True, slots=True)
class _Misreading:
    """One way of reading bytes wrongly: which character each byte 0x80 to 0xFF became."""

    name: str
    byte_of: dict[str, int]
    pattern: re.Pattern[str]
    lost: dict[str, str]


def _misreading(name: str, codec: str, lost: dict[str, str]) -> _Misreading:
    char_of = {}
    for byte in range(0x80, 0x100):
        try:
            char_of[byte] = bytes([byte]).decode(codec)
        except UnicodeDecodeError:
            char_of[byte] = chr(byte)
    continuation = _class(char_of, 0x80, 0xBF)
    sequence = "|".join(
        (
            f"{_class(char_of, 0xC2, 0xDF)}{continuation}",
            f"{_class(char_of, 0xE1, 0xEF)}{continuation}{{2}}",
            f"{_class(char_of, 0xF0, 0xF4)}{continuation}{{3}}",
        )
    )
    if lost:
        sequence += "|" + "|".join(re.escape(damaged) for damaged in lost)
    return _Misreading(name, {char: byte for byte, char in char_of.items()}, re.compile(sequence), lost)


def _class(char_of: dict[int, str], first: int, last: int) -> str:
    return "[" + "".join(re.escape(char_of[byte]) for byte in range(first, last + 1)) + "]"


_LOST_BYTES = {
    "\u00e2\u201d": "\u2510",
    "\u00e2\u20ac": "\u201d",
    "\u00e2\u2020": "\u2190",
    "\u00e2\u0152": "\u274c",
    "\u00e2\u201c": "\u2753",
    "\u00e2\u2014": "\u2757",
    "\u00e2\u00a4": "\u2764",
    "\u00e2\u00b0": "\u23f0",
    "\u00e2\u00b1": "\u23f1",
    "\u00e2\u00b3": "\u23f3",
    "\u00e2\u00b8": "\u23f8",
    "\u00ef\u00b8": "\ufe0f",
    "\u00f0\u0178\u201d": "\U0001f50d",
    "\u00f0\u0178\u201c": "\U0001f4dd",
}
"""Windows-1252 has no character for 0x81, 0x8D, 0x8F, 0x90 and 0x9D, and many programs drop those bytes. What is left
of the commonest characters that had one: the corner of a box, a closing quote, an arrow, a cross, marks, clocks, the
selector after an emoji, a lens, a note. Believed only in a text that also holds complete sequences."""

_WINDOWS = _misreading("Windows-1252", "cp1252", _LOST_BYTES)
_MAC = _misreading("Mac Roman", "mac_roman", {})


def repair_double_encoding(text: str) -> Mended:
    """Put back the characters of a text whose UTF-8 bytes were once taken for Windows-1252 or Mac Roman.

    The misreading that explains more of the text is undone, and only where the result is plausible: a lone French
    `\u2019\u00e9` is not turned into Armenian.
    """
    best = max((_undo(text, _WINDOWS), _undo(text, _MAC)), key=lambda mended: mended.sequences)
    return best if best.sequences else Mended(text)


def _undo(text: str, misreading: _Misreading) -> Mended:
    found = [(match, _original(match[0], misreading)) for match in misreading.pattern.finditer(text)]
    complete = [lead for match, (lead, _) in found if match[0] not in misreading.lost]
    if not complete:
        return Mended(text)
    believed = _believer(complete, mac=misreading is _MAC)
    pieces: list[str] = []
    position = count = first = 0
    for match, (lead, original) in found:
        if not original or not believed(lead, original):
            continue
        pieces += (text[position : match.start()], original)
        position = match.end()
        first = first if count else match.start()
        count += 1
    if not count:
        return Mended(text)
    return Mended("".join(pieces) + text[position:], misreading.name, count, text.count("\n", 0, first) + 1)


def _original(damaged: str, misreading: _Misreading) -> tuple[int, str]:
    """The first byte of a damaged sequence and the character it was; no character when the bytes are not UTF-8."""
    lead = misreading.byte_of[damaged[0]]
    if damaged in misreading.lost:
        return lead, misreading.lost[damaged]
    try:
        return lead, bytes(misreading.byte_of[char] for char in damaged).decode("utf-8")
    except UnicodeDecodeError:
        return lead, ""


def _believer(leads: list[int], *, mac: bool) -> Callable[[int, str], bool]:
    """Decides which restored characters to believe, given the lead bytes of all candidates in the text."""
    rare = sum(chr(lead) in _RARE_LEADS for lead in leads)
    latin = sum(chr(lead) in _LATIN_LEADS for lead in leads)
    symbols = sum(lead in (0xE2, 0xF0) for lead in leads)

    def believed(lead: int, original: str) -> bool:
        if lead in (0xE2, 0xEF) or lead >= 0xF0:
            return original.isprintable() or original == "\ufe0f"
        if lead in (0xC2, 0xC3):
            return not mac or latin >= _MIN_MAC_LATIN or symbols > 0
        if chr(lead) in _RARE_LEADS:
            return rare >= _MIN_RARE and not mac
        return lead > 0xE2 and not mac and symbols + latin > 0

    return believed
