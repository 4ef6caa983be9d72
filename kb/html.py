"""Markdown -> HTML that is safe to put into a page. What comes out has passed nh3, whatever the Markdown held. Pure."""

import html
import re
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import count
from urllib.parse import urlsplit

import nh3

from kb.markdown_blocks import read_code, strip_explicit_anchor
from kb.markdown_tokens import HtmlRenderer, Token, new_parser
from kb.words import word_set

_TAGS = word_set(
    "a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i input ins kbd li mark ol p pre "
    "s samp strong sub summary sup table tbody td tfoot th thead tr u ul var"
)
_AUTHOR_TAGS = word_set(
    "abbr b blockquote br code dd del details dl dt em hr i ins kbd li mark ol p pre s samp strong sub summary sup "
    "u ul var"
)
"""Tags that authors may write themselves, without attributes."""
_CLASSES = re.compile(r"admonition [a-z]{1,20}|admonition-title|language-[a-z0-9+#._-]{1,40}|image|task")
_ATTRIBUTES = {
    "a": {"href", "rel", "title", "class"},
    "code": {"class"},
    "pre": {"data-command"},
    "ol": {"start"},
    "div": {"class"},
    "p": {"class"},
    "li": {"class"},
    "input": {"type", "checked", "disabled"},
    "th": {"scope"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
_SCHEMES = frozenset({"http", "https", "mailto"})
_RAW_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})(?:[ \t\n][^<>]{0,2000})?/?>")
_CHECKBOX = re.compile(r"\[([ xX])\][ \t]+")
_MAX_RAW_TAGS = 2_000

LinkResolver = Callable[[str], str | None]


def render_html(text: str, *, heading_anchors: Sequence[str], resolve_link: LinkResolver | None = None) -> str:
    """HTML for a runbook's text.

    `heading_anchors` are the anchors of its sections that have a heading, in order; they become the headings' ids.
    Code blocks carry `data-command`, the 0-based number of the command among all commands of the runbook, and their
    language as a class. Links lead to http, https, mailto, a relative address or an anchor; external ones get `rel`.
    `resolve_link` may map a relative target to an address, or to None to show the link's text alone. Images become
    links.
    """
    parser = new_parser()
    tokens = parser.parse(text)
    _prepare(tokens, iter(heading_anchors), resolve_link)
    raw = _Renderer(parser).render(tokens, parser.options, {})
    return _clean(raw, frozenset(heading_anchors))


def _clean(raw: str, anchors: Set[str]) -> str:
    def keep(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return value if value in anchors else None
        if name == "class":
            return value if _CLASSES.fullmatch(value) else None
        if name == "data-command":
            return value if value.isdigit() else None
        if name == "type":
            return value if value == "checkbox" else None
        return value

    return nh3.clean(
        raw,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        url_schemes=set(_SCHEMES),
        link_rel=None,
        strip_comments=True,
    )


class _Renderer(HtmlRenderer):
    """markdown-it's renderer with raw HTML reduced to bare known tags, and code blocks that can be told apart."""

    def __init__(self, parser: object = None) -> None:
        super().__init__(parser)
        self._raw_tags = 0

    def html_inline(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return self._bare_tags(tokens[idx].content)

    def html_block(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return self._bare_tags(tokens[idx].content)

    def checkbox(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        checked = ' checked=""' if tokens[idx].meta["done"] else ""
        return f'<input type="checkbox" disabled=""{checked}> '

    def fence(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return self._code(tokens[idx])

    def code_block(self, tokens: Sequence[Token], idx: int, *_: object) -> str:
        return self._code(tokens[idx])

    def _code(self, token: Token) -> str:
        language = token.meta.get("language", "")
        number = token.meta.get("command")
        class_name = f' class="language-{html.escape(language)}"' if language else ""
        command = f' data-command="{number}"' if number is not None else ""
        return f"<pre{command}><code{class_name}>{html.escape(token.content, quote=False)}</code></pre>\n"

    def _bare_tags(self, source: str) -> str:
        """Author's HTML with known tags stripped of attributes; all other tags go, their text stays. The number of
        tags is limited: a browser repeats unclosed ones in every paragraph that follows."""
        pieces: list[str] = []
        position = 0
        for match in _RAW_TAG.finditer(source):
            pieces.append(html.escape(source[position : match.start()], quote=False))
            position = match.end()
            name = match[2].lower()
            if name in _AUTHOR_TAGS and self._raw_tags < _MAX_RAW_TAGS:
                self._raw_tags += 1
                pieces.append(f"<{match[1]}{name}>")
        pieces.append(html.escape(source[position:], quote=False))
        return "".join(pieces)


def _prepare(tokens: Sequence[Token], anchors: Iterator[str], resolve_link: LinkResolver | None) -> None:
    """Give the tokens their anchors, command numbers, checkboxes and safe links."""
    commands = count()
    lists = 0
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            _set_anchor(token, tokens[number + 1], next(anchors, ""))
        elif token.type in ("fence", "code_block"):
            code = read_code(token)
            token.meta = {**token.meta, "language": code.language}
            if code.text.strip():
                token.meta["command"] = next(commands)
        elif token.type.endswith("_list_open"):
            lists += 1
        elif token.type.endswith("_list_close"):
            lists -= 1
        elif token.type == "inline":
            if lists:
                _add_checkbox(token)
            token.children = _safe_links(token.children or [], resolve_link)


def _set_anchor(heading: Token, inline: Token, anchor: str) -> None:
    if anchor:
        heading.attrs["id"] = anchor
    strip_explicit_anchor(inline)


def _add_checkbox(inline: Token) -> None:
    children = inline.children or []
    if not children or children[0].type != "text":
        return
    match = _CHECKBOX.match(children[0].content)
    if match:
        children[0].content = children[0].content[match.end() :]
        children.insert(0, Token("checkbox", "input", 0, meta={"done": match[1] != " "}))


def _safe_links(children: Sequence[Token], resolve_link: LinkResolver | None) -> list[Token]:
    kept: list[Token] = []
    dropped = False
    for child in children:
        if child.type == "image":
            kept.extend(_image_link(child))
            continue
        if child.type == "link_open":
            target = str(child.attrs.get("href", ""))
            resolved = resolve_link(target) if resolve_link and is_relative(target) else target
            dropped = resolved is None
            if dropped:
                continue
            child.attrs["href"] = resolved or ""
            if is_external(resolved or ""):
                child.attrs["rel"] = "noopener nofollow"
        elif child.type == "link_close" and dropped:
            dropped = False
            continue
        kept.append(child)
    return kept


def _image_link(image: Token) -> list[Token]:
    label = image.content or "image"
    source = str(image.attrs.get("src", ""))
    text = Token("text", "", 0, content=f"Image: {label}")
    if not source:
        return [text]
    attrs: dict[str, str | int | float] = {"href": source, "class": "image"}
    if is_external(source):
        attrs["rel"] = "noopener nofollow"
    return [Token("link_open", "a", 1, attrs=attrs), text, Token("link_close", "a", -1)]


def is_external(target: str) -> bool:
    """Whether a link leads to another site; `//host` does, `mailto:` does not."""
    return target.startswith(("//", "\\\\", "/\\")) or target.lower().startswith(("http:", "https:"))


def is_relative(target: str) -> bool:
    """Whether a link leads to a file beside this one: no scheme, no host, not just an anchor."""
    if not target or target.startswith(("#", "/", "\\")):
        return False
    try:
        return not urlsplit(target).scheme
    except ValueError:
        return False
