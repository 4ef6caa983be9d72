"""The bodies of `POST /runbooks/learn` to an `Incident` (pure): `{incident_data, context}`, or a fuller record flat."""

from collections.abc import Mapping

from api.imports.incident_fields import Telling, canonical, incident_of
from api.imports.values import labels_of, text_of
from api.strict_json import parse_json
from kb.errors import InvalidInput
from kb.incident import Incident

_ENVELOPE = ("incident_data", "context", "metadata")


def incident_of_body(body: object, telling: Telling) -> Incident:
    """The incident that a body tells of. It says when it began, or has just ended.

    With `incident_data` (an object, also as JSON inside a string), `context` (such as namespace and pod_type) gives
    labels, and the service when it names one.
    Fields that mean nothing are refused. Raises `InvalidInput` that names the field from the top of the body.
    """
    if not isinstance(body, Mapping):
        raise InvalidInput("body", "is not an object", advice='Send {"incident_data": {...}, "context": {...}}.')
    if "incident_data" not in body:
        return incident_of(canonical(body, strict=True), telling)
    for name in body:
        if name not in _ENVELOPE:
            raise InvalidInput(str(name)[:100], "is not a known field", advice="Put it into incident_data or metadata.")
    data, context = _unwrapped(body["incident_data"]), _unwrapped(body.get("context") or {})
    if not isinstance(data, Mapping) or not isinstance(context, Mapping):
        wrong = "context" if isinstance(data, Mapping) else "incident_data"
        raise InvalidInput(wrong, "is not an object", advice="Write it as names with values.")
    try:
        fields = dict(canonical(data, strict=True))
        surroundings = {name: value for name, value in labels_of(context).items() if value}
        fields["labels"] = surroundings | labels_of(fields.get("labels"))
        fields.setdefault("service", text_of(context.get("service")))
        fields.setdefault("metadata", body.get("metadata"))
        return incident_of(fields, telling)
    except InvalidInput as error:
        raise InvalidInput(f"incident_data.{error.field}", error.reason, advice=error.advice) from None


def _unwrapped(value: object) -> object:
    """An object that arrives as JSON inside a string, as workflow tools template it."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value.encode("utf-8", "surrogatepass"))
    except InvalidInput:
        return value
