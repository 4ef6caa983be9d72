"""Templates to responses: one Jinja environment that escapes everything, and the headers that every page carries."""

from collections.abc import Callable, Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.web.urls import Urls

# No page loads anything from anywhere else, runs a script that does not ship with it, or may be framed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)


class Renderer:
    """Renders templates; made once, safe to use from many threads. `drafts_waiting` is asked for every whole page."""

    def __init__(self, urls: Urls, *, drafts_waiting: Callable[[], int] = lambda: 0) -> None:
        self._urls = urls
        self._environment = Environment(
            loader=PackageLoader("api.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals["urls"] = urls
        self._environment.globals["drafts_waiting"] = drafts_waiting

    @property
    def urls(self) -> Urls:
        """The addresses that every template uses."""
        return self._urls

    def text(self, template: str, **context: object) -> str:
        """One template as HTML."""
        # A lone surrogate, which JSON can carry in, has no UTF-8 form; it must not turn an answer into an error.
        return self._environment.get_template(template).render(**context).encode("utf-8", "replace").decode("utf-8")

    def page(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: object
    ) -> HTMLResponse:
        """One template as a response with the headers of a page."""
        own = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache, private"}
        return HTMLResponse(self.text(template, **context), status_code=status, headers={**own, **(headers or {})})
