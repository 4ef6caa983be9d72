"""Pages made from Markdown: what they show, and what they never let through."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.html import is_external, is_relative, render_html
from kb.markdown import parse_document
from kb.runbook import Runbook


def page(text: str) -> str:
    runbook = parse_document(text.encode(), path="x.md").runbooks[0]
    return render_html(runbook.text, heading_anchors=anchors_of(runbook))


def anchors_of(runbook: Runbook) -> list[str]:
    return [section.anchor for section in runbook.sections if section.level]


def test_headings_carry_the_anchors_of_their_sections() -> None:
    html = page("# Disk full {#disk}\n\n## Check\n\n## Check\n")

    assert html == '<h1 id="disk">Disk full</h1>\n<h2 id="check">Check</h2>\n<h2 id="check-1">Check</h2>\n'


def test_an_entry_keeps_the_anchors_that_its_file_gave_it() -> None:
    text = "## Alert: HostDown\n\n### Check\n\n## Alert: HostSlow\n\n### Check\n"
    entry = parse_document(text.encode(), path="x.md").runbooks[2]

    html = render_html(entry.text, heading_anchors=anchors_of(entry))

    assert html == '<h2 id="alert-hostslow">Alert: HostSlow</h2>\n<h3 id="check-1">Check</h3>\n'


def test_commands_are_numbered_as_the_runbook_numbers_them() -> None:
    text = "```bash\nfirst <pod>\n```\n\n```\n\n```\n\n1. Item\n   ```Console\n   second\n   ```\n\nText\n\n    third\n"

    assert re.findall(r'<pre data-command="(\d+)"><code(?: class="([^"]*)")?>([^<]*)\n</code>', page(text)) == [
        ("0", "language-bash", "first &lt;pod&gt;"),
        ("1", "language-console", "second"),
        ("2", "", "third"),
    ]


def test_tables_checklists_and_admonitions_are_shown() -> None:
    html = page("| a | b |\n|--:|---|\n| 1 | `2` |\n\n- [ ] todo\n- [x] done\n\n!!! warning\n    Mind *this*\n")

    assert "<th>a</th>" in html
    assert "<td><code>2</code></td>" in html
    assert '<li><input type="checkbox" disabled=""> todo</li>' in html
    assert '<li><input type="checkbox" disabled="" checked=""> done</li>' in html
    assert '<div class="admonition warning">\n<p class="admonition-title">Warning</p>' in html
    assert "style" not in html


def test_external_links_say_so_and_images_become_links() -> None:
    html = page(
        "[a](https://x.example/) [b](../b.md#c) [c](#c) [d](mailto:a@x.example) ![e](https://x.example/e.png)\n"
    )

    assert html == (
        '<p><a href="https://x.example/" rel="noopener nofollow">a</a> <a href="../b.md#c">b</a> <a href="#c">c</a> '
        '<a href="mailto:a@x.example">d</a> '
        '<a href="https://x.example/e.png" class="image" rel="noopener nofollow">Image: e</a></p>\n'
    )


def test_a_page_may_say_where_relative_links_lead() -> None:
    def resolve(target: str) -> str | None:
        return "/runbooks/disk" if target == "../disk.md" else None

    html = render_html("[a](../disk.md) [b](gone.md) [c](/x)", heading_anchors=[], resolve_link=resolve)

    assert html == '<p><a href="/runbooks/disk">a</a> b <a href="/x">c</a></p>\n'


def test_plain_tags_of_the_author_stay_without_attributes() -> None:
    html = page('<details open onclick="x()"><summary>More</summary>\n\nText<br/>here\n\n</details>\n')

    assert html == "<details><summary>More</summary>\n<p>Text<br>here</p>\n</details>\n"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<b onmouseover=alert(1)>x</b>",
    "<details ontoggle=alert(1) open>x</details>",
    "<body onload=alert(1)>",
    "<link rel=stylesheet href=//x.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//x.example/>",
    "<style>*{background:url(//x.example)}</style>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:alert(1))",
    "[x](file:///etc/passwd)",
    "![x](javascript:alert(1))",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[x](https://x.example \"onmouseover=alert(1)\")",
    '[x](https://x.example/"onmouseover=alert(1))',
    "```\"><img/src=x/onerror=alert(1)>\ncode\n```",
    "``` {onclick=alert(1)}\ncode\n```",
    "# x {#y\"onclick=alert(1)}",
    "# <img src=x onerror=alert(1)>",
    "`<img src=x onerror=alert(1)>`",
    "    <img src=x onerror=alert(1)>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    "<h2 id=csrf>x</h2><input name=csrf value=1><p id=cookie class=evil>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=`x` onerror=alert(1)//",
    "<a\nhref='javascript:alert(1)'>x</a>",
    "\u0000<script>alert(1)</script>",
    "- [x] <img src=x onerror=alert(1)>",
    "!!! note \"<img src=x onerror=alert(1)>\"\n    x",
    "[![x](javascript:alert(1))](javascript:alert(1))",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]  # fmt: skip

TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)((?:\s+[\w-]+(?:=\"[^\"]*\")?)*)\s*>")
ATTRIBUTE = re.compile(r"([\w-]+)=\"([^\"]*)\"")
ALLOWED_ATTRIBUTES = {"href", "rel", "class", "id", "title", "data-command", "type", "disabled", "checked", "start"}
FORBIDDEN_TAGS = {
    "script", "img", "svg", "math", "iframe", "object", "embed", "form", "button", "body", "link", "meta", "base",
    "style", "noscript",
}  # fmt: skip


def assert_harmless(html: str) -> None:
    rest = TAG.sub("", html)
    assert "<" not in rest, html
    for match in TAG.finditer(html):
        assert match[2].lower() not in FORBIDDEN_TAGS, html
        for name, value in ATTRIBUTE.findall(match[3]):
            assert name in ALLOWED_ATTRIBUTES, html
            if name == "href":
                assert not re.match(r"[\s\x00-\x1f]*(?:javascript|data|vbscript|file)", value, re.IGNORECASE), html


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_reaches_a_page(text: str) -> None:
    assert_harmless(page(text))
    assert_harmless(page(f"# A\n\n- item\n\n  {text}\n\n> {text}\n"))


def test_the_check_for_hostile_pages_bites() -> None:
    for bad in ("<img src=x>", '<p onclick="x">', '<a href="javascript:x">', "<script>"):
        with pytest.raises(AssertionError):
            assert_harmless(bad)


def test_an_author_cannot_take_an_id_of_the_page() -> None:
    assert page('<h2 id="search">x</h2>\n') == "x\n"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([*HOSTILE, "\n", "\n\n", " ", "* ", "> ", "`", "```\n", "<", ">", '"', "'", "]("]), max_size=8
    )
)
def test_no_combination_reaches_a_page(pieces: list[str]) -> None:
    assert_harmless(page("".join(pieces)))


@pytest.mark.parametrize(
    ("target", "external", "relative"),
    [
        ("https://x.example", True, False),
        ("HTTP://x.example", True, False),
        ("//x.example", True, False),
        ("mailto:a@x.example", False, False),
        ("../a.md", False, True),
        ("a.md#b", False, True),
        ("#b", False, False),
        ("/a", False, False),
        ("", False, False),
        ("http://[bad", True, False),
    ],
)
def test_links_are_told_apart(target: str, external: bool, relative: bool) -> None:
    assert (is_external(target), is_relative(target)) == (external, relative)
