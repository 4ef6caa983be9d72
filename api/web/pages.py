"""The web face, put together: the search page, the stable link for alerts, and the assets; other pages come from
modules of their own. Each route parses, calls one act of `Services` or `Learning` and renders the answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from api.services import Services
from api.web import incident_pages, insight_pages, list_pages, pattern_pages, review_pages, runbook_pages, write_pages
from api.web.asset_files import Assets, load_assets
from api.web.errors import not_found_page, page_route
from api.web.render import Renderer
from api.web.requests import LabelsDep, WebPrincipalDep, request_id_of
from api.web.searching import Asked, Search, asked_by_address, asked_by_body
from api.web.urls import Urls
from kb.errors import KBError

ByAddress = Annotated[Asked, Depends(asked_by_address)]
ByBody = Annotated[Asked, Depends(asked_by_body)]

_YEAR = "public, max-age=31536000, immutable"


def utc_now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


class Pages:
    """All pages and assets. `base_path` is the prefix under which a proxy serves them, without a slash at its end."""

    def __init__(self, services: Services, *, base_path: str = "", now: Callable[[], datetime] = utc_now) -> None:
        assets = load_assets()
        self._render = Renderer(Urls(base_path, assets.version), drafts_waiting=lambda: _waiting(services))
        self.router = APIRouter(route_class=page_route(self._render), include_in_schema=False)
        _add_search(self.router, Search(services, self._render, now))
        _add_assets(self.router, assets)
        list_pages.add(self.router, services, self._render, now)
        runbook_pages.add(self.router, services, self._render, now)
        write_pages.add(self.router, services, self._render)
        incident_pages.add(self.router, services, self._render, now)
        for module in (pattern_pages, review_pages, insight_pages):
            module.add(self.router, lambda: services.learning, self._render, now)

    def not_found(self, request: Request) -> Response:
        """The page for an address that is none of ours."""
        return not_found_page(self._render, request_id=request_id_of(request))


def _waiting(services: Services) -> int:
    """How many drafts wait; none is shown while nobody can say, which must not keep a page from being drawn."""
    try:
        return services.learning.overviews.waiting()
    except KBError:
        return 0


def _add_search(router: APIRouter, search: Search) -> None:
    @router.get("/")
    def home(asked: ByAddress, principal: WebPrincipalDep) -> Response:
        return search.page(asked, principal)

    @router.post("/")
    def home_for_long_text(asked: ByBody, principal: WebPrincipalDep) -> Response:
        return search.page(asked, principal)

    @router.get("/search")
    def hits(asked: ByAddress, principal: WebPrincipalDep) -> Response:
        return search.fragment(asked, principal)

    @router.post("/search")
    def hits_for_long_text(asked: ByBody, principal: WebPrincipalDep) -> Response:
        return search.fragment(asked, principal)

    @router.post("/search/advice")
    def advice(asked: ByBody) -> Response:
        return search.advice(asked)

    @router.get("/a/{alertname}")
    def alert(alertname: str, labels: LabelsDep, principal: WebPrincipalDep) -> Response:
        return search.alert(alertname, labels, principal)


def _add_assets(router: APIRouter, assets: Assets) -> None:
    @router.get("/assets/{version}/{name:path}")
    async def asset(version: str, name: str) -> Response:
        found = assets.by_name.get(name)
        if found is None:
            raise HTTPException(404)
        caching = _YEAR if version == assets.version else "no-cache"
        return Response(found.body, media_type=found.media_type, headers={"Cache-Control": caching})
