"""Addresses of pages. Every link on every page comes from here, so that all of them keep the proxy's path prefix."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

# Words of our own in a runbook page's query string; everything else there is an alert's label.
SEARCH = "search"
RESERVED = frozenset({SEARCH})


@dataclass(frozen=True, slots=True)
class Urls:
    """`base` is the path prefix, such as "/sre-kb", without a slash at its end; `version` names the assets' state."""

    base: str = ""
    version: str = "0"

    def home(self, **query: str) -> str:
        """The search page, perhaps with a query and filters."""
        return self._at("/", query)

    def search(self) -> str:
        """Where the search page fetches its hits."""
        return self._at("/search")

    def advice(self) -> str:
        """Where the search page fetches what ended such incidents."""
        return self._at("/search/advice")

    def browse(self, **query: str) -> str:
        """The list of all runbooks."""
        return self._at("/browse", query)

    def alert(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """The stable link for alert templates."""
        return self._at(f"/a/{quote(name, safe='')}", labels or {})

    def runbook(
        self, runbook_id: str, *, labels: Mapping[str, str] | None = None, search_id: str = "", anchor: str = ""
    ) -> str:
        """A runbook's page; labels fill its commands, `anchor` is the section to show."""
        query = {name: value for name, value in (labels or {}).items() if name not in RESERVED}
        if search_id:
            query[SEARCH] = search_id
        return self._at(f"/r/{quote(runbook_id, safe='')}", query, anchor)

    def act(self, runbook_id: str, act: str, **query: str) -> str:
        """A page or form below a runbook's page: history, diff, edit, preview, restore, publish."""
        return self._at(f"/r/{quote(runbook_id, safe='')}/{act}", query)

    def incidents(self, **query: str) -> str:
        """The list of incidents."""
        return self._at("/browse/incidents", query)

    def incident(self, incident_id: str, act: str = "", *, anchor: str = "", **query: str) -> str:
        """An incident's page, or a page or form below it: resolve, note, claim, release, acknowledge, reopen."""
        return self._at(f"/i/{quote(incident_id, safe='')}" + (f"/{act}" if act else ""), query, anchor)

    def new_incident(self, **query: str) -> str:
        """The form that opens an incident."""
        return self._at("/i/new", query)

    def patterns(self, **query: str) -> str:
        """The list of patterns."""
        return self._at("/browse/patterns", query)

    def pattern(self, pattern_id: str, act: str = "", *, anchor: str = "") -> str:
        """A pattern's page, or a form below it: rename, merge, split, unlearn."""
        return self._at(f"/p/{quote(pattern_id, safe='')}" + (f"/{act}" if act else ""), {}, anchor)

    def reviews(self, **query: str) -> str:
        """The drafts that wait, or those that were decided."""
        return self._at("/browse/reviews", query)

    def review(self, review_id: str, act: str = "", **query: str) -> str:
        """A draft's page, or a page or form below it: edit, preview, approve, reject, undo, promote."""
        return self._at(f"/d/{quote(review_id, safe='')}" + (f"/{act}" if act else ""), query)

    def write(self, **query: str) -> str:
        """The form for a runbook of one's own."""
        return self._at("/write", query)

    def write_preview(self) -> str:
        """Where that form fetches its preview."""
        return self._at("/write/preview")

    def insights(self) -> str:
        """What the patterns ask people to do."""
        return self._at("/browse/insights")

    def dashboard(self, name: str, **query: str) -> str:
        """A dashboard: learning or incidents."""
        return self._at(f"/dashboards/{name}", query)

    def events(self, search_id: str) -> str:
        """Where a page says what became of a search."""
        return self._at(f"/searches/{quote(search_id, safe='')}/events")

    def feedback(self) -> str:
        """Where a page sends what somebody thinks of a runbook."""
        return self._at("/feedback")

    def asset(self, name: str) -> str:
        """A stylesheet, script or image; the address changes with its content."""
        return self._at(f"/assets/{self.version}/{name}")

    def _at(self, path: str, query: Mapping[str, str] | None = None, anchor: str = "") -> str:
        given = {name: value for name, value in (query or {}).items() if value}
        tail = "?" + urlencode(given) if given else ""
        return f"{self.base}{path}{tail}" + ("#" + quote(anchor, safe="") if anchor else "")
