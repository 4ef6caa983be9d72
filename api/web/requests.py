"""What pages read off a request: who asks, the request's name, the labels in an address, the fields of a form."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from api.web.urls import RESERVED
from kb.principal import Face, Principal, local

_MAX_LABELS = 40
_MAX_CHARS = 512
_MAX_FIELDS = 20
_MAX_LARGE_FIELDS = 1000


async def web_principal_of(request: Request) -> Principal:
    """Who is asking, through the pages."""
    known: Principal | None = getattr(request.state, "principal", None)
    return replace(known, face=Face.WEB) if known else local(Face.WEB)


async def labels_of(request: Request) -> Mapping[str, str]:
    """The alert labels in the address, as far as they are of a bearable size."""
    given = [(name, value.strip()) for name, value in request.query_params.items() if name not in RESERVED]
    bearable = [
        (name, value) for name, value in given if value and len(name) <= _MAX_CHARS and len(value) <= _MAX_CHARS
    ]
    return dict(bearable[:_MAX_LABELS])


async def form_of(request: Request) -> Mapping[str, str]:
    """The fields of a posted form; uploaded files are not taken."""
    async with request.form(max_files=0, max_fields=_MAX_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def large_form_of(request: Request) -> Mapping[str, tuple[str, ...]]:
    """The fields of a long form, each with all the values that were ticked."""
    async with request.form(max_files=0, max_fields=_MAX_LARGE_FIELDS) as form:
        return {name: tuple(value for value in form.getlist(name) if isinstance(value, str)) for name in form}


def first_values(form: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """A long form with the first value of each field."""
    return {name: values[0] for name, values in form.items() if values}


def request_id_of(request: Request) -> str:
    """The name of this request in the server's log."""
    return str(getattr(request.state, "request_id", ""))


def wants_html(request: Request) -> bool:
    """Whether a browser shows the answer to a person."""
    return "text/html" in request.headers.get("accept", "")


WebPrincipalDep = Annotated[Principal, Depends(web_principal_of)]
LabelsDep = Annotated[Mapping[str, str], Depends(labels_of)]
FormDep = Annotated[Mapping[str, str], Depends(form_of)]
LargeFormDep = Annotated[Mapping[str, tuple[str, ...]], Depends(large_form_of)]
