"""sre-kb serve: pages and HTTP on one port, with everything that keeps the index in step."""

import logging
import signal
import socket
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from api.app import create_app
from api.commands.console import remark
from api.engine import open_engine
from api.errors import CannotListen
from api.logs import configure_logging
from api.settings import Settings, load_settings
from api.wiring import SERVER, Background, KnowledgeBase, new_id, provide_folder
from kb.redact import redact

log = logging.getLogger("sre_kb.serve")

EXIT_UNAVAILABLE = 4
_KEEP_ALIVE_S = 15
_BACKLOG = 256
_INDEXING_NICENESS = 10  # searches come first
# Well above the limits of the edge, which says in words what is too long; past this the protocol layer just hangs up.
_MAX_HEAD_BYTES = 256 << 10


def run(*, host: str | None, port: int | None) -> int:
    """Serve until told to stop. Raises `SettingsInvalid`, `CannotListen`, and what opening the database raises."""
    settings = load_settings(host=host, port=port)
    configure_logging(level=settings.log_level, as_json=settings.log_format == "json", redact=redact)
    if provide_folder(settings):
        remark(f"Created {settings.runbooks_dir} with the bundled runbooks.")
    listener = _listen(settings)  # before the index is opened: a port that is taken is told at once
    base = KnowledgeBase(
        settings,
        background=Background(SERVER.follows, settings.watch),
        open_engine=partial(open_engine, settings, say=remark, niceness=_INDEXING_NICENESS),
    )
    base.open()
    app = create_app(base.services, settings, new_id=new_id)
    remark(f"sre-kb serves on {_address(settings, listener)}")
    server = _Server(uvicorn.Config(app, **_options(settings)))
    # uvicorn raises the signal that stopped it once more when it is done; with these in place it then ends nothing, and
    # a stop that was asked for is a success.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    return 0 if server.started else EXIT_UNAVAILABLE


class _Server(uvicorn.Server):
    """The first signal lets running requests finish, a second one does not."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it every answer waits 40 ms for the
    # client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)  # from here on whoever connects waits for the start instead of being refused
    except OSError as exc:
        listener.close()
        raise CannotListen(settings.host, settings.port, exc.strerror or str(exc)) from None
    return listener


def _address(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}{settings.base_path}/"


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "access_log": False,  # our own line says more, and says no query
        "log_config": None,
        "lifespan": "on",
        "server_header": False,
        "proxy_headers": False,  # nothing here decides by the client's address, so nobody needs to forge one
        "backlog": _BACKLOG,
        "h11_max_incomplete_event_size": _MAX_HEAD_BYTES,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "timeout_graceful_shutdown": max(1, round(settings.shutdown_grace_s)),
    }
