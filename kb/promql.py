"""PromQL among other text: which code spans and blocks are expressions over metrics. Pure."""

import re
from collections.abc import Iterable

from kb.markdown_blocks import Block

MAX_EXPRESSIONS = 100
_MAX_CHARS = 1_000

_COMPARISON = re.compile(
    r"([A-Za-z_:][\w:]{1,200})(?:[ \t]{0,4}(\{[^{}]{0,400}\}))?(?:[ \t]{0,4}\[[^\[\]]{1,40}\])?[ \t]{0,8}"
    r"(?:==|!=|>=|<=|>|<)[ \t]{0,8}(?:bool[ \t]{1,8})?[-+]?[\d.]{1,40}(?![\d.]).{0,100}",
    re.DOTALL,
)
_SELECTOR = re.compile(
    r"[A-Za-z_:][\w:]{1,200}\{[ \t]{0,8}[A-Za-z_]\w{0,60}[ \t]{0,8}(?:=|!=|=~|!~)[ \t]{0,8}[\"'].*", re.DOTALL
)
_FUNCTION = re.compile(
    r"(?:\({1,8}[ \t]{0,8})?(?:sum|avg|min|max|count|stddev|topk|bottomk|quantile|group|rate|irate|increase|delta|"
    r"deriv|absent|absent_over_time|avg_over_time|max_over_time|min_over_time|sum_over_time|count_over_time|"
    r"quantile_over_time|histogram_quantile|predict_linear|changes|resets|time|label_replace|label_join|clamp_max|"
    r"clamp_min|round|ceil|floor|abs|vector)[ \t]{0,8}(?:(?:by|without)[ \t]{0,8}\([^()]{0,300}\))?[ \t]{0,8}\(.*",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"\(\s{0,8}\w{0,200}_")
_LANGUAGES = frozenset({"promql", "metricsql", "prometheus"})
_UNMARKED = frozenset({"", "text", "txt", "console"})
_SYMPTOMS = re.compile(r"symptom|alert|metric|expression|query|diagnos", re.IGNORECASE)


def is_expression(text: str) -> bool:
    """Whether a text by itself is a PromQL comparison, selector or function call (`pg_up == 0`, `rate(x[5m])`)."""
    text = text.strip()
    if not text or len(text) > _MAX_CHARS:
        return False
    match = _COMPARISON.fullmatch(text)
    if match:
        return "_" in match[1] or ":" in match[1] or match[2] is not None
    if _SELECTOR.fullmatch(text):
        return True
    return bool(_FUNCTION.fullmatch(text)) and ("[" in text or "{" in text or bool(_ARGUMENT.search(text)))


def find_expressions(blocks: Iterable[Block]) -> tuple[str, ...]:
    """The PromQL in code spans, in fences marked as such, and in unmarked fences under headings like Symptoms; in
    order, doubles dropped, at most 100."""
    found: dict[str, None] = {}
    for block in blocks:
        spans = (span for span in block.code_spans if is_expression(span))
        marked = (command.text for command in block.commands if command.language in _LANGUAGES)
        unmarked = (
            command.text
            for command in block.commands
            if command.language in _UNMARKED and _SYMPTOMS.search(block.title) and is_expression(command.text)
        )
        for expression in (*spans, *marked, *unmarked):
            if len(expression) <= _MAX_CHARS:
                found.setdefault(expression.strip(), None)
    return tuple(found)[:MAX_EXPRESSIONS]
