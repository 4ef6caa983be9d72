"""Runbook texts as HTML: commands can be filled and copied, links stay inside, nothing hostile survives."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.web.runbook_html import adds_context, blanks_of, commands_of, link_resolver, prose, title_anchor
from api.web.urls import Urls
from kb.markdown import parse_document
from kb.runbook import Runbook

TEXT = """# Pod crashes

See [the other](../node/down.md#disk), [gone](gone.md) and [outside](https://example.org/x).

## Diagnosis

1. Look:

   ```bash
   kubectl -n <namespace> logs <pod> | grep "<pattern>"
   ```

```promql
up{pod="<pod>"}
```

| a | b |
|---|---|
| 1 | 2 |

- [ ] told the team
"""


def runbook(text: str) -> Runbook:
    return parse_document(text.encode(), path="static/kubernetes/pod.md").runbooks[0]


def text_of(html: str) -> list[str]:
    return [unescape(re.sub(r"<[^>]+>", "", code)) for code in re.findall(r"<code>(.*?)</code></pre>", html, re.DOTALL)]


def test_values_go_into_every_command_quoted_for_their_place() -> None:
    html = str(prose(runbook(TEXT), {"namespace": "pay", "pod": "a b", "pattern": "x y", "cluster": "prod"}))
    assert text_of(html) == [
        "kubectl --context prod -n pay logs 'a b' | grep \"<pattern>\"",
        'up{pod="<pod>"}',
    ]


def test_blanks_are_named_with_the_place_first() -> None:
    commands = commands_of(runbook(TEXT))
    assert blanks_of(commands) == ("cluster", "namespace", "pod", "pattern")
    assert adds_context(commands)


def test_a_first_heading_that_repeats_the_title_is_the_pages_own() -> None:
    html = str(prose(runbook(TEXT), {}))
    assert title_anchor(runbook(TEXT)) == "pod-crashes"
    assert 'id="pod-crashes"' not in html
    assert 'id="diagnosis"' in html


def test_a_first_heading_that_says_something_else_stays() -> None:
    other = runbook("---\ntitle: Pods\n---\n\n# Pod crashes\n\ntext\n")
    assert title_anchor(other) == ""
    assert 'id="pod-crashes"' in str(prose(other, {}))


def test_links_between_files_lead_to_pages_with_the_alert_and_dead_ones_lose_their_target() -> None:
    resolve = link_resolver("static/kubernetes/pod.md", {"static/node/down.md": "node-down"}, Urls("/kb"), {"pod": "p"})
    html = str(prose(runbook(TEXT), {}, resolve))
    assert 'href="/kb/r/node-down?pod=p#disk"' in html
    assert "gone.md" not in html
    assert "gone" in html
    assert 'href="https://example.org/x"' in html


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("../node/down.md", "/r/node-down"),
        ("../node/down", "/r/node-down"),
        ("../node", "/r/nodes"),
        ("../../../../etc/passwd", None),
        ("down.md", None),
        ("..%2Fnode%2Fdown.md?raw=1#x", "/r/node-down#x"),
    ],
)
def test_a_relative_link_is_resolved_as_a_file_system_would(target: str, found: str | None) -> None:
    ids = {"static/node/down.md": "node-down", "static/node/README.md": "nodes"}
    assert link_resolver("static/kubernetes/pod.md", ids, Urls(), {})(target) == found


def test_a_pasted_session_shows_what_can_be_pasted_and_keeps_the_rest() -> None:
    html = str(prose(runbook("# T\n\n```console\n$ uptime\n 03:00 up 4 days\n```\n"), {}))
    assert text_of(html) == ["uptime"]
    assert "03:00 up 4 days" in html


def test_tables_scroll_and_checklists_have_names() -> None:
    html = str(prose(runbook(TEXT), {}))
    assert html.count('<div class="table-scroll"') == html.count("</table></div>") == 1
    assert '<input type="checkbox" disabled="" aria-label="Done">' in html


HOSTILE = st.text("<>\"'`/=&;:()[]{}!#-\n abonerrscriptimgsvgjavalhx", max_size=80)


@settings(max_examples=150)
@given(HOSTILE, HOSTILE)
def test_whatever_text_and_values_hold_only_known_tags_come_out(text: str, value: str) -> None:
    html = str(prose(runbook(f"# T\n\n{text}\n\n```sh\nls <pod> {text}\n```\n"), {"pod": value}))
    tags = re.findall(r"<[^>]*>", html)
    assert not [
        tag for tag in tags if re.search(r"<\s*/?(script|img|svg|iframe|object|style|link|meta|form|base)\b", tag)
    ]
    assert not [tag for tag in tags if re.search(r"\s(on\w+|style|hx-\w+|src)\s*=", tag, re.IGNORECASE)]
