"""Errors of the faces themselves: a request that lacks what its act needs, and a server that is not there yet."""

from kb.errors import KBError


class PreconditionMissing(KBError):
    """A change came without If-Match, so it could overwrite what its sender has never seen."""

    def __init__(self) -> None:
        super().__init__(
            "The request does not say which version it changes.",
            advice="Send the ETag you read as If-Match, or If-Match: * to change whatever is there.",
        )


class WrongContentType(KBError):
    """The body is of a type that this address does not take."""

    def __init__(self, *expected: str) -> None:
        super().__init__(
            "The body's Content-Type is not one that is taken here.", advice=f"Send {' or '.join(expected)}."
        )


class NotReady(KBError):
    """The server has started and has nothing to search in yet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is being prepared.", advice="Try again in a few seconds.")


class CannotListen(KBError):
    """The address to serve on cannot be had."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"Cannot listen on {host}, port {port}: {reason}.",
            advice="Stop what uses that port, or choose another: sre-kb serve --port 9090.",
        )
