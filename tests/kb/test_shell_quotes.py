"""Where quotes begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.shell_quotes import Context, QuoteMap


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("echo X", Context.PLAIN),
        ("echo 'X'", Context.SINGLE),
        ('echo "X"', Context.DOUBLE),
        ('echo "it\'s X"', Context.DOUBLE),
        ("echo '\"' X", Context.PLAIN),
        (r"echo \' X", Context.PLAIN),
        (r"echo \" X", Context.PLAIN),
        (r'echo "\" X"', Context.DOUBLE),
        ("echo # X", Context.COMMENT),
        ("echo a#X", Context.PLAIN),
        ("# it's\necho X", Context.PLAIN),
        ('"$(echo X)"', Context.PLAIN),
        ('"$(echo "X")"', Context.DOUBLE),
        ('"$(echo (a) b) X"', Context.DOUBLE),
        ("cat <<EOF\nX\nEOF", Context.HEREDOC),
        ("cat <<'EOF'\nX\nEOF", Context.LITERAL_HEREDOC),
        ("cat <<-EOF\n'\n\tEOF\necho X", Context.PLAIN),
        ("don't X", Context.PLAIN),
        ("5' X", Context.PLAIN),
        ('say " X', Context.PLAIN),
    ],
)
def test_each_character_knows_what_surrounds_it(text: str, context: Context) -> None:
    assert QuoteMap(text).region_at(text.rindex("X")).context is context


@given(st.text(alphabet="ab '\"\\$()#\n<E", max_size=200))
def test_regions_follow_one_another_from_the_first_character_on(text: str) -> None:
    quotes = QuoteMap(text)

    for offset in range(len(text)):
        region = quotes.region_at(offset)
        assert region.start <= offset
