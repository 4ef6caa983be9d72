"""The API's own pages: its description as JSON, and Swagger UI over it from vendored files. Nothing is loaded from
anywhere else, and no address parameter can make it load another description."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from api.asking import UrlsDep
from api.web.urls import Urls

router = APIRouter(include_in_schema=False)

# Swagger UI draws its arrows as data: images and sets styles from script, which 'self' allows.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sre-kb API</title>
<link rel="stylesheet" href="{css}">
</head>
<body>
<div id="swagger-ui" data-description="{description}"></div>
<script src="{bundle}"></script>
<script src="{start}"></script>
</body>
</html>
"""


@router.get("/openapi.json")
def description(request: Request) -> JSONResponse:
    """The OpenAPI description."""
    schema: dict[str, Any] = request.app.openapi()
    return JSONResponse(schema, headers={"Cache-Control": "no-cache"})


@router.get("/docs")
def page(urls: UrlsDep) -> HTMLResponse:
    """The page that shows it."""
    return HTMLResponse(_PAGE.format_map(_links(urls)), headers={"Content-Security-Policy": _POLICY})


def _links(urls: Urls) -> Mapping[str, str]:
    return {
        "css": urls.asset("vendor/swagger-ui/swagger-ui.css"),
        "bundle": urls.asset("vendor/swagger-ui/swagger-ui-bundle.js"),
        "start": urls.asset("vendor/swagger-ui/start.js"),
        "description": f"{urls.base}/openapi.json",
    }
