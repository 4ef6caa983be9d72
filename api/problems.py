"""Every refusal on the wire is an RFC 9457 problem document. One table says which status and title each `KBError`
gets; what a client sent is never echoed back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.access import AccessDenied
from api.errors import NotReady, PreconditionMissing, WrongContentType
from indexer import errors as indexer_errors
from kb import errors as kb_errors
from kb.errors import KBError
from kb.feedback import TooManyVotes
from kb.idempotency import KeyReused, RequestInFlight
from kb.incident_records import IncidentChanged, IncidentNotFound
from kb.pattern_records import PatternNotFound
from kb.pins import PinNotFound
from kb.review_records import DraftChanged, PersonNeeded, ReviewDecided, ReviewNotFound
from kb.search_log import SearchNotFound
from learner.errors import NotLearnt

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:sre-kb:problem:"


class FieldProblem(BaseModel):
    """One field of the request that breaks a rule. The value itself is not repeated: it may be a secret."""

    field: str = Field(description="Where it is, such as body.title or query.limit.", examples=["query.limit"])
    reason: str = Field(description="The rule it breaks.", examples=["Input should be less than or equal to 50"])


class ProblemDocument(BaseModel):
    """What every refusal looks like (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:sre-kb:problem:runbook-not-found",
                    "title": "Runbook not found",
                    "status": 404,
                    "detail": "There is no runbook 'kube-pod-crash-lopping'.",
                    "advice": "Did you mean kube-pod-crash-looping?",
                    "request_id": "0c6a1f0e9d2b4c7a",
                    "errors": [],
                }
            ]
        }
    )

    type: str = Field(description="A name for this kind of problem that stays the same across releases.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status, repeated.")
    detail: str = Field(description="What happened this time.")
    advice: str = Field("", description="What to do next.")
    request_id: str = Field("", description="Names this request in the server's log.")
    errors: list[FieldProblem] = Field(
        default_factory=list, description="The fields at fault, where it is about fields."
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its slug in the `type` URN, its title and its HTTP status."""

    slug: str
    title: str
    status: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem ready to be sent. `retry_after_s` and `allow` become headers."""

    kind: Kind
    detail: str
    advice: str = ""
    errors: Sequence[FieldProblem] = ()
    retry_after_s: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


INVALID_REQUEST = Kind("invalid-request", "The request breaks a rule", 422)
UNREADABLE_BODY = Kind("unreadable-body", "The body cannot be read", 400)
UNKNOWN_HOST = Kind("unknown-host", "Not a name of this server", 400)
BAD_REQUEST = Kind("bad-request", "The request cannot be understood", 400)
CROSS_SITE = Kind("cross-site-request", "Refused: sent by another site", 403)
NO_SUCH_ADDRESS = Kind("no-such-address", "Nothing lives at this address", 404)
WRONG_METHOD = Kind("wrong-method", "This address does not take this method", 405)
TOO_SLOW = Kind("request-too-slow", "The request took too long to arrive", 408)
TOO_LARGE = Kind("body-too-large", "The body is too large", 413)
QUERY_TOO_LONG = Kind("query-too-long", "The address is too long", 414)
HEADERS_TOO_LARGE = Kind("headers-too-large", "The headers are too large", 431)
WRONG_CONTENT_TYPE = Kind("wrong-content-type", "The body is of another type than this address takes", 415)
PRECONDITION_REQUIRED = Kind("precondition-required", "Say which version you are changing", 428)
TOO_MANY_REQUESTS = Kind("too-many-requests", "You are asking faster than you can be served", 429)
OVERLOADED = Kind("overloaded", "The server is busy", 503)
NOT_READY = Kind("not-ready", "The server is not ready yet", 503)
INDEX_UNAVAILABLE = Kind("index-unavailable", "The search index cannot be used now", 503)
INTERNAL = Kind("internal-error", "Something went wrong here", 500)

# The most specific class that an error is an instance of decides.
KIND_OF: Mapping[type[KBError], Kind] = {
    KBError: INTERNAL,
    PreconditionMissing: PRECONDITION_REQUIRED,
    WrongContentType: WRONG_CONTENT_TYPE,
    NotReady: NOT_READY,
    AccessDenied: Kind("access-denied", "You may not do this", 403),
    kb_errors.InvalidInput: INVALID_REQUEST,
    kb_errors.RunbookNotFound: Kind("runbook-not-found", "Runbook not found", 404),
    kb_errors.VersionNotFound: Kind("version-not-found", "Version not found", 404),
    PinNotFound: Kind("pin-not-found", "Pin not found", 404),
    SearchNotFound: Kind("search-not-found", "Search not found", 404),
    IncidentNotFound: Kind("incident-not-found", "Incident not found", 404),
    PatternNotFound: Kind("pattern-not-found", "Pattern not found", 404),
    ReviewNotFound: Kind("review-not-found", "Review not found", 404),
    NotLearnt: Kind("incident-not-learnt", "The incident was not learnt", 409),
    PersonNeeded: Kind("person-needed", "A person has to do this", 403),
    ReviewDecided: Kind("review-decided", "The draft is decided already", 409),
    RequestInFlight: Kind("request-in-flight", "A request with this key is still being answered", 409),
    IncidentChanged: Kind("incident-changed", "Somebody else changed the incident first", 412),
    DraftChanged: Kind("draft-changed", "The draft is another text by now", 412),
    KeyReused: Kind("idempotency-key-reused", "The key was used for another request", 422),
    TooManyVotes: Kind("too-many-votes", "You have voted too often today", 429),
    kb_errors.RunbookExists: Kind("runbook-exists", "Runbook exists already", 409),
    kb_errors.EditConflict: Kind("edit-conflict", "Somebody else changed it first", 412),
    kb_errors.RunbookReadOnly: Kind("runbook-read-only", "Runbook cannot be changed here", 409),
    kb_errors.StorageUnavailable: Kind("storage-unavailable", "The storage does not work at the moment", 503),
    kb_errors.StorageFull: Kind("storage-full", "The disk is full", 507),
    indexer_errors.EmbedderUnavailable: Kind("embedder-unavailable", "The embedding model does not work", 503),
    indexer_errors.IndexCorrupt: INDEX_UNAVAILABLE,
    indexer_errors.IndexOutdated: INDEX_UNAVAILABLE,
    indexer_errors.IndexBusy: INDEX_UNAVAILABLE,
}

_SEE_LOG = "The server's log says why, under the request id."

_BY_STATUS: Mapping[int, Kind] = {
    kind.status: kind
    for kind in (
        BAD_REQUEST,
        NO_SUCH_ADDRESS,
        WRONG_METHOD,
        TOO_SLOW,
        TOO_LARGE,
        WRONG_CONTENT_TYPE,
        INVALID_REQUEST,
        PRECONDITION_REQUIRED,
        TOO_MANY_REQUESTS,
        INTERNAL,
        OVERLOADED,
    )
}


def all_kinds() -> tuple[Kind, ...]:
    """Every kind of problem this server can answer with, in order of status and slug; the documentation lists them."""
    named = {value for value in globals().values() if isinstance(value, Kind)}
    return tuple(sorted(named | set(KIND_OF.values()), key=lambda kind: (kind.status, kind.slug)))


def kind_of(error: KBError) -> Kind:
    """The kind that stands for this error on the wire."""
    for cls in type(error).__mro__:
        if (kind := KIND_OF.get(cls)) is not None:
            return kind
    return INTERNAL


def kind_of_status(status: int) -> Kind:
    """The general kind for a status that the web framework chose."""
    return _BY_STATUS.get(status) or Kind("http-error", "The request was refused", status)


def from_error(error: KBError) -> Problem:
    """The problem that tells a client about `error`. One that has no row of its own says nothing of its inside."""
    kind = kind_of(error)
    if kind is INTERNAL:
        return Problem(INTERNAL, "The server met an error of its own.", "Try again; report the request id if it stays.")
    if kind.status >= 500 and kind is not NOT_READY:
        # Their sentences name files and databases, which help whoever runs the server and nobody else: they are logged.
        return Problem(kind, _SEE_LOG, "Try again in a moment; on the server, 'sre-kb doctor' finds the cause.", (), 5)
    errors = [FieldProblem(field=error.field, reason=error.reason)] if isinstance(error, kb_errors.InvalidInput) else []
    return Problem(kind, error.message, error.advice, errors, retry_after_s=5 if kind is NOT_READY else None)


def response(problem: Problem, *, request_id: str) -> Response:
    """The HTTP answer for a problem; lone surrogates in texts become U+FFFD so that it can always be encoded."""
    document = ProblemDocument(
        type=_TYPE_PREFIX + problem.kind.slug,
        title=problem.kind.title,
        status=problem.kind.status,
        detail=_encodable(problem.detail),
        advice=_encodable(problem.advice),
        request_id=request_id,
        errors=[FieldProblem(field=_encodable(e.field), reason=_encodable(e.reason)) for e in problem.errors],
    )
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.retry_after_s is not None:
        headers["Retry-After"] = str(problem.retry_after_s)
    return Response(document.model_dump_json(), status_code=problem.kind.status, media_type=MEDIA_TYPE, headers=headers)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
