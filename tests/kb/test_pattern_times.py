"""No regular expression of the parsing modules takes more than linear time, whatever text it is given."""

import importlib
import re
import time
from collections.abc import Iterator

import pytest

MODULES = (
    "alert_names", "console", "fences", "front_matter", "header", "html", "invisible", "markdown", "markdown_blocks",
    "markdown_fields", "markdown_runbooks", "mojibake", "placeholders", "promql", "redact", "repair", "severity",
    "shell_quotes", "slugs",
)  # fmt: skip

PIECES = (
    "a", "A", "aA", "Aa", "0", "a0", "_", "-", "--", " ", "\t", "\n", " \n", "\\", "\\\\", "'", '"', "`", "*", "**",
    "#", ":", ": ", "a: ", "a:", "=", "a=", "<", "<a", "<a ", ">", "[", "[a", "[a-", "]", "](", "{", "{{", "{{a",
    "}}", "(", "((", ")", "$", "$a", "${a", "$(", "|", "~", "~~~", "```", "/", "//", "://", "a@", "@", ".", "a.",
    "...", "!", "!!", "%", "&", "&a ", "a,", ", ", "- ", "1. ", "rate(", "sum by (", "x{", "x{a=\"", "[5m", "<<",
    "<<a", "<<EOF\n", "alert: ", "alert: a\n", "- alert: a\n  b\n", "Alert:", "runbook_url: ", "runbook: https://",
    "password", "password=", "password: ", "token", "-token ", "mysql ", "mysql -p", "curl ", "curl -u ",
    "eyJaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "authorization: ", "bearer ", "login a password ", "sev1", "p0 ",
    "every 1", "\xe2", "\xe2\u201d", "\u201a\xdc", "\u200b", "\u200d", "\U0001f916\u200d", "\u0301", "a b ", "a/",
    "title: ", "not ", "{#", "{#a", "---\n", "+++\n", "> ", "$ a\n", "a@b:",
)  # fmt: skip

WHOLE_ONLY = frozenset(
    {"redact._BLANK", "redact._K8S_NAME", "redact._K8S_OBJECT", "redact._PATH", "redact._LOOKS_SECRET",
     "promql._FUNCTION", "promql._COMPARISON", "promql._SELECTOR", "header._INTERVAL"}
)  # fmt: skip
"""Patterns that are only ever held against a whole text, never searched for in one."""

SIZE = 20_000
CPU_SECONDS = 0.25
"""A quadratic pattern takes longer than that at this size; the slowest here takes about a tenth of it."""


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module_name in MODULES:
        module = importlib.import_module(f"kb.{module_name}")
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module_name}.{name}", value
            elif isinstance(value, tuple):
                rules = [getattr(item, "pattern", None) for item in value]
                for number, rule in enumerate(rules):
                    if isinstance(rule, re.Pattern):
                        yield f"{module_name}.{name}[{number}]", rule


ALL = dict(patterns())


def test_the_patterns_are_found() -> None:
    assert len(ALL) > 80


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_a_pattern_takes_linear_time(name: str) -> None:
    pattern = ALL[name]
    for piece in PIECES:
        text = "x: " + piece * (SIZE // len(piece)) + "\x00"
        start = time.process_time()
        pattern.fullmatch(text)
        pattern.fullmatch(text[3:])
        if name not in WHOLE_ONLY:
            for _ in pattern.finditer(text):
                pass
        assert time.process_time() - start < CPU_SECONDS, (name, piece)


def test_the_clock_catches_a_quadratic_pattern() -> None:
    text = " " * SIZE + "\x00"
    start = time.process_time()
    for _ in re.finditer(r"\s+x", text):
        pass
    assert time.process_time() - start > CPU_SECONDS
