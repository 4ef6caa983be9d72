"""The only place that knows markdown-it: one dialect for parsing and for pages, so that both see the same blocks."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML as HtmlRenderer
from markdown_it.token import Token
from mdit_py_plugins.admon import admon_plugin

__all__ = ["HtmlRenderer", "Token", "inline_code", "new_parser", "parse_tokens", "plain_text"]


def new_parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough and MkDocs admonitions; raw HTML is recognised, bare addresses are not
    linked."""
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False, "typographer": False})
    parser.enable(["table", "strikethrough"])
    admon_plugin(parser)
    return parser


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
