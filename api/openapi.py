"""The description of the HTTP face: bodies that routes read by themselves, and the problem document that every route
may answer with. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from api.problems import MEDIA_TYPE, ProblemDocument

_REF = "#/components/schemas/{model}"
IF_MATCH: Mapping[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag you read, or * for whatever is there.",
    "schema": {"type": "string"},
}


def body_of(model: type[BaseModel], *, if_match: bool = False, markdown: bool = False) -> dict[str, Any]:
    """What a route's description adds for a JSON body that the route checks itself."""
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}
    if markdown:
        content["text/markdown"] = {"schema": {"type": "string"}}
    parameters = {"parameters": [dict(IF_MATCH)]} if if_match else {}
    return {"requestBody": {"required": True, "content": content}, **parameters}


def complete(schema: dict[str, Any], models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    """FastAPI's description with `models` added to its components, and problem documents in place of the errors that
    FastAPI thinks it sends."""
    described: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in models]
    described.append((ProblemDocument, "serialization"))
    _, extra = models_json_schema(described, ref_template=_REF)
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components |= extra.get("$defs", {})
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for operations in schema["paths"].values():
        for operation in operations.values():
            _tell_problems(operation)
    return schema


def _tell_problems(operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDocument")}}}
    for status, response in responses.items():
        if status.startswith(("4", "5")):
            response["content"] = problem
    responses["4XX"] = {"description": "The request is at fault; the body says how.", "content": problem}
    responses["5XX"] = {"description": "The server cannot answer now; the body says why.", "content": problem}
