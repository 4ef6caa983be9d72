"""Damaged text made readable: encodings, double-encoded UTF-8, invisible characters, fences that close too early. Every
repair is reported, none changes the number of lines, and the bytes on disk stay as they are. Pure."""

import codecs
import re
from dataclasses import dataclass

import ftfy
from ftfy.badness import is_bad

from kb.fences import renest_fences
from kb.invisible import without_invisible
from kb.mojibake import repair_double_encoding
from kb.runbook import Problem, ProblemLevel

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SNIFF_BYTES = 4096
_MAX_FTFY_CHARS = 2000
"""ftfy tries many encodings one after another; a longer line is left as it is."""

_NEWLINES = re.compile(r"\r\n?")
_ASK_FTFY = re.compile("[^\x00-\x7f]{2}")


@dataclass(frozen=True, slots=True)
class Repaired:
    """Readable text with `\\n` line ends, as many lines as the file has, and what was done to get it."""

    text: str
    problems: tuple[Problem, ...]


def repair(raw: bytes, *, path: str) -> Repaired:
    """Decode a file and mend what is known to be broken in it; `path` only labels the problems. Never raises."""
    report = _Report(path)
    text = _NEWLINES.sub("\n", _decode(raw, report))
    text = _mend_encoding(text, report)
    text = _drop_invisible(text, report)
    renested = renest_fences(text)
    report.problems.extend(
        Problem(mend.code, ProblemLevel.WARNING, mend.message, mend.advice, path, mend.line) for mend in renested.mends
    )
    return Repaired(renested.text, tuple(report.problems))


class _Report:
    """Collects the problems of one file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def warn(self, code: str, message: str, advice: str, line: int | None = None) -> None:
        self.problems.append(Problem(code, ProblemLevel.WARNING, message, advice, self.path, line))

    def note(self, code: str, message: str, advice: str, line: int | None = None) -> None:
        self.problems.append(Problem(code, ProblemLevel.NOTE, message, advice, self.path, line))


def _decode(raw: bytes, report: _Report) -> str:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            report.warn("not-utf8", f"The file is {encoding.upper()}, not UTF-8.", "Save it as UTF-8.")
            return raw.decode(encoding, errors="replace")
    if raw.startswith(codecs.BOM_UTF8):
        report.note("byte-order-mark", "The file starts with a byte order mark.", "Save it as UTF-8 without BOM.", 1)
        raw = raw[len(codecs.BOM_UTF8) :]
    if encoding := _utf16_without_bom(raw):
        report.warn("not-utf8", "The file looks like UTF-16 without a byte order mark.", "Save it as UTF-8.")
        return raw.decode(encoding, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        text = raw.decode("utf-8", errors="replace")
        message = f"{text.count(chr(0xFFFD))} places in the file are not valid UTF-8; they show as \ufffd."
        report.warn("invalid-utf8", message, "Save the file as UTF-8.", line)
        return text


def _utf16_without_bom(raw: bytes) -> str:
    """The UTF-16 flavour that a file of mostly ASCII text betrays by its zero bytes, or an empty string."""
    sample = raw[:_SNIFF_BYTES]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    zeros_even = sample[0::2].count(0) / len(sample[0::2])
    zeros_odd = sample[1::2].count(0) / len(sample[1::2])
    if zeros_odd > 0.7 and zeros_even < 0.05:
        return "utf-16-le"
    if zeros_even > 0.7 and zeros_odd < 0.05:
        return "utf-16-be"
    return ""


def _mend_encoding(text: str, report: _Report) -> str:
    if text.isascii():
        return text
    mended = repair_double_encoding(text)
    if mended.sequences:
        message = f"{mended.sequences} characters were saved as {mended.encoding} by mistake; they are put right here."
        report.warn(
            "double-encoded", message, "Save the file once more as UTF-8 from the repaired text.", mended.first_line
        )
    return _ask_ftfy(mended.text, report)


def _ask_ftfy(text: str, report: _Report) -> str:
    """Let ftfy look at the lines that still seem wrongly decoded (Windows-1251, code page 437 and the like)."""
    if not _ASK_FTFY.search(text):
        return text
    lines = text.split("\n")
    changed: list[int] = []
    for number, line in enumerate(lines):
        if len(line) > _MAX_FTFY_CHARS or not _ASK_FTFY.search(line) or not is_bad(line):
            continue
        better = ftfy.fix_encoding(line)
        if better != line and "\n" not in better:
            lines[number] = better
            changed.append(number + 1)
    if changed:
        message = f"{len(changed)} lines were saved in the wrong encoding; they are put right for reading."
        report.warn("double-encoded", message, "Save the file once more as UTF-8 from the repaired text.", changed[0])
    return "\n".join(lines)


def _drop_invisible(text: str, report: _Report) -> str:
    text, findings = without_invisible(text)
    for finding in findings:
        message = f"{finding.count} {finding.what} are left out of the text."
        report.warn(finding.code, message, _INVISIBLE_ADVICE, finding.line)
    return text


_INVISIBLE_ADVICE = "Look at that line: somebody may have hidden text in it, or copied it from a web page or chat."
