"""What is shown of a chunk."""

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.snippet import MARK_END, MARK_START, MAX_SNIPPET_CHARS, Highlighter, plain_text
from indexer.tokens import Analyzer


def shown(text: str, query: str) -> str:
    snippet = Highlighter(Analyzer().terms(query)).snippet(text)
    return snippet.replace(MARK_START, "[").replace(MARK_END, "]")


def test_words_that_matched_are_marked_in_any_of_their_forms() -> None:
    assert (
        shown("The pods are crashing, a pod crashed.", "pod crash") == "The [pods] are [crashing], a [pod] [crashed]."
    )


def test_a_compound_is_marked_for_a_piece_of_it() -> None:
    assert (
        shown("See KubePodCrashLooping and kube-proxy.", "crash proxy") == "See [KubePodCrashLooping] and [kube-proxy]."
    )


def test_words_that_hold_sentences_together_are_not_marked() -> None:
    assert shown("how the disk fills", "how is the disk") == "how the [disk] fills"


def test_markdown_is_shown_plain() -> None:
    assert shown("## Check\n\n- run `df -h`\n\n```bash\ndf -h\n```\n[docs](https://x.example)", "df") == (
        "Check run [df] -h [df] -h docs"
    )


def test_placeholders_stay() -> None:
    assert plain_text("kubectl delete pod <pod-name> | cat") == "kubectl delete pod <pod-name> cat"


def test_a_long_text_is_shown_around_its_matches() -> None:
    text = "Nothing here at all. " * 60 + "Then the quorum of etcd is lost.\n" + "And more. " * 60
    snippet = shown(text, "etcd quorum lost")
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert "the [quorum] of [etcd] is [lost]." in snippet


def test_a_text_without_matches_is_shown_from_its_beginning() -> None:
    assert shown("First words. " + "x " * 400, "zebra").startswith("First words.")


@settings(deadline=None)
@given(st.text(max_size=600), st.text(max_size=40))
def test_any_text_is_shown_in_bounds_with_marks_in_pairs(text: str, query: str) -> None:
    text = text.replace(MARK_START, "").replace(MARK_END, "")
    snippet = Highlighter(Analyzer().terms(query)).snippet(text)
    bare = snippet.replace(MARK_START, "").replace(MARK_END, "")
    assert len(bare) <= MAX_SNIPPET_CHARS + 2
    marks = [letter for letter in snippet if letter in (MARK_START, MARK_END)]
    assert marks == [MARK_START, MARK_END] * (len(marks) // 2)
