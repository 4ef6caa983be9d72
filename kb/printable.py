"""Text from outside made safe for one line of a log, a report or a terminal (pure)."""


def one_line(text: str) -> str:
    """`text` with everything that could forge a line or hide in a terminal written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
