"""Text between a file and a form: bytes to what a text box can hold, and back with nothing else changed. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EditableText:
    """A file's text for a text box. `is_exact` is False when its bytes are no UTF-8: saving would rewrite them."""

    text: str
    is_exact: bool


def editable(raw: bytes) -> EditableText:
    """The text of a file, line ends as a text box has them."""
    try:
        text, is_exact = raw.decode("utf-8"), True
    except UnicodeDecodeError:
        text, is_exact = raw.decode("utf-8", "replace"), False
    return EditableText(text.replace("\r\n", "\n").replace("\r", "\n"), is_exact)


def file_bytes(text: str, *, like: bytes) -> bytes:
    """What a text box sends (CRLF, whatever the file had) as bytes, with the line ends of most lines of `like`."""
    crlf = like.count(b"\r\n")
    newline = "\r\n" if crlf > like.count(b"\n") - crlf else "\n"
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain.replace("\n", newline).encode("utf-8", "replace")
