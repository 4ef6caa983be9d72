"""What can be wrong with a file before anybody reads what it says, in words that help its author (pure)."""

from collections.abc import Mapping
from types import MappingProxyType

from kb.printable import one_line
from kb.runbook import Problem, ProblemLevel

_ERROR, _WARNING, _NOTE = ProblemLevel.ERROR, ProblemLevel.WARNING, ProblemLevel.NOTE

# code -> level, what is the matter, what to do; the fields in braces are given by whoever reports
_TEXTS: Mapping[str, tuple[ProblemLevel, str, str]] = MappingProxyType(
    {
        "not-a-file": (
            _ERROR,
            "Is not a regular file (a pipe, a device or a folder); it was not opened.",
            "Remove it or give it another name.",
        ),
        "too-large": (
            _ERROR,
            "Has {size_bytes} bytes; a runbook may have {limit_bytes}. What was known of it stays.",
            "Split it into one runbook for each problem.",
        ),
        "still-written": (
            _NOTE,
            "Was being written while it was read; it is left as it was until the next look.",
            "Nothing to do, unless this stays: then look for a program that never stops writing it.",
        ),
        "half-written": (
            _WARNING,
            "Became empty a moment ago, as files are half-way through a save; the last text stays.",
            "Nothing to do when a save is under way. An empty file that stays is taken as it is.",
        ),
        "unreadable": (
            _ERROR,
            "Cannot be read: {reason}. What was known of it stays.",
            "Give sre-kb read access to it.",
        ),
        "link-outside": (
            _ERROR,
            "Is a link to a place outside the runbooks folder; links are not followed out of it.",
            "Copy the file in, or mount its folder inside the runbooks folder.",
        ),
        "link-broken": (_WARNING, "Is a link that leads nowhere.", "Remove the link or bring its target back."),
        "link-folder": (
            _WARNING,
            "Is a link to a folder; such links are not followed.",
            "Move the folder in, or mount it there.",
        ),
        "name-not-utf8": (_ERROR, "Has a name that is not UTF-8.", "Rename it; letters, digits and hyphens are safe."),
        "name-unprintable": (
            _ERROR,
            "Has control or invisible characters in its name.",
            "Rename it; letters, digits and hyphens are safe.",
        ),
        "path-too-long": (
            _ERROR,
            "Has a path of {chars} characters; {limit} are the limit.",
            "Shorten the folder names.",
        ),
        "too-deep": (_ERROR, "Lies more than {limit} folders deep; it was not looked into.", "Move it up."),
        "twin-names": (
            _WARNING,
            "Differs from '{other}' only in upper and lower case or in how accents are stored; other systems cannot "
            "hold both.",
            "Rename one of them.",
        ),
        "id-taken": (
            _NOTE,
            "Would be called '{natural_id}', as is '{other}' already; it is called '{id}'.",
            "Give one of them an `id:` of its own in its front matter to choose the name yourself.",
        ),
        "folder-empty": (
            _ERROR,
            "The folder holds no runbook, and {count} are known: it looks like a missing mount. Nothing was removed.",
            "Mount the folder. If it is really meant to be empty, say so with `sre-kb index --accept-empty`.",
        ),
        "not-recorded": (
            _ERROR,
            "Files have changed, and the database is on a read-only medium: what is served is what was recorded last.",
            "Mount the data folder writable and look again.",
        ),
        "gone": (_NOTE, "Went away while it was being read.", "Nothing to do; the next look tells."),
    }
)


def file_problem(code: str, path: str, **fields: str | int) -> Problem:
    """The problem of that code with the file at `path`, its text filled from `fields`."""
    level, message, advice = _TEXTS[code]
    return Problem(code=code, level=level, message=message.format(**fields), advice=advice, path=one_line(path))
