"""Word lists that read as text in the source. Pure."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text that white space separates."""
    return frozenset(text.split())
