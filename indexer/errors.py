"""What can go wrong with the derived index and the model behind it. Each error tells what to do next."""

from pathlib import Path

from kb.errors import KBError


class EmbedderUnavailable(KBError):
    """The embedding model cannot be loaded. `remedy` is the one thing to do about it."""

    def __init__(self, model: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"The embedding model '{model}' cannot be used: {reason}", advice=remedy)
        self.model = model
        self.reason = reason
        self.remedy = remedy


class IndexCorrupt(KBError):
    """A saved part of the index is damaged, incomplete or not what its manifest says; it is never served."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The saved index at {path} cannot be used: {reason}",
            advice="Nothing is lost: it is rebuilt from the runbooks. Run 'sre-kb index' to rebuild it now.",
        )
        self.path = path
        self.reason = reason


class IndexOutdated(KBError):
    """A saved index is whole, but of another model or of another release, so it is rebuilt."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The saved index at {path} is out of date: {reason}",
            advice="It is rebuilt from the runbooks. Run 'sre-kb index' to rebuild it now.",
        )
        self.path = path
        self.reason = reason


class IndexBusy(KBError):
    """Another process is changing the index and did not finish in time."""

    def __init__(self, path: Path, *, waited_s: float) -> None:
        super().__init__(
            f"Another process holds {path}; waited {waited_s:.0f} s.",
            advice="Wait until the other 'sre-kb index' or 'sre-kb serve' has finished indexing, then try again.",
        )
        self.path = path
        self.waited_s = waited_s
