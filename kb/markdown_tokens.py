"""The only place that knows markdown-it: one dialect for parsing and for pages, so that both see the same blocks."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML as HtmlRenderer
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin

__all__ = ["HtmlRenderer", "Token", "inline_code", "new_parser", "parse_tokens", "plain_text"]


MAX_MARKUP_CHARS = 20_000
"""Characters that may mean markup (`[`, `*`, `` ` ``) in the prose of one text. The busiest of 836 real runbooks holds
1,326; a text made of nothing else would keep the parser busy for half a minute. What comes after stays plain."""

_NOT_MARKUP = {ord(char): None for char in "[]*_`<>!&\\~"}


def new_parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough and MkDocs admonitions; raw HTML is recognised, bare addresses are not
    linked."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False, "typographer": False})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.at("inline", _parse_inline)
    admon_plugin(parser)
    return parser


def _parse_inline(state: StateCore) -> None:
    """Parse the prose of all blocks, as long as the text's allowance of markup lasts."""
    left = MAX_MARKUP_CHARS
    for token in state.tokens:
        if token.type != "inline":
            continue
        left -= len(token.content) - len(token.content.translate(_NOT_MARKUP))
        if token.children is None:
            token.children = []
        if left >= 0:
            state.md.inline.parse(token.content, state.md, state.env, token.children)
        else:
            token.children.append(Token("text", "", 0, content=token.content))


def parse_tokens(text: str) -> list[Token]:
    """The block tokens of a Markdown text, inline content parsed into their children."""
    return new_parser().parse(text)


def plain_text(inline: Token) -> str:
    """What a reader sees of an inline token: no markup, no HTML tags; line breaks stay, images give their alternative
    text."""
    return "".join(_visible(child) for child in inline.children or ())


def _visible(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "image":
        return "".join(_visible(child) for child in token.children or ())
    return "" if token.type == "html_inline" else token.content


def inline_code(inline: Token) -> Sequence[str]:
    """The code spans of an inline token, in order."""
    return [child.content for child in inline.children or () if child.type == "code_inline"]
