"""An error on its way to a client: the client gets its problem, the log gets what the client does not."""

import logging

from api import problems
from api.problems import Problem
from kb.errors import KBError

log = logging.getLogger("sre_kb.app")


def told(error: KBError, *, request_id: str = "") -> Problem:
    """The problem to answer `error` with. Failures of the server are logged; those without a sentence of their own with
    their traceback."""
    problem = problems.from_error(error)
    if problem.kind.status >= 500:
        is_odd = problem.kind is problems.INTERNAL
        fields = {"event": "request_failed", "request_id": request_id}
        # Waiting for a server that has just started is no failure of it.
        level = logging.INFO if problem.kind is problems.NOT_READY else logging.ERROR
        log.log(level, "%s %s", error.message, error.advice, exc_info=error if is_odd else None, extra=fields)
    return problem
