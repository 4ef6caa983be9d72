"""Whatever is typed, the real search answers: no query is an error, and none takes long."""

import random
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.acts import Health, Refreshed, SearchRequest, Usage
from api.app import create_app
from api.finding import Finder
from api.learning.service import Learning
from api.recording import Recorder
from api.services import Reports, Services
from api.settings import load_settings
from indexer.embed import HashingEmbedder
from indexer.embedding_cache import EmbeddingCache
from indexer.search import Searcher
from indexer.sync import Index
from kb.errors import InvalidInput
from kb.markdown import parse_document
from kb.memory_logs import MemoryPins, MemorySearchLog
from kb.memory_stores import MemoryRunbookStore
from kb.principal import DISK, Face, local
from tests.web.stage import FILES, NOW

pytestmark = pytest.mark.integration

# Search languages, shells, patterns and templates have all tripped over these.
AWKWARD = [
    *(
        "-pod",
        "a:b",
        '"pod',
        "pod AND",
        "AND",
        "OR OR",
        "NOT",
        "NEAR(",
        "pod*",
        "*",
        "^",
        "(",
        "))",
        "{}",
        "[",
        "\\",
        "%",
    ),
    *("' or 1=1 --", "; drop table documents", "$(reboot)", "`id`", "${jndi:ldap://x}", "{{7*7}}", "<script>alert(1)"),
    *("a" * 16_384, "a " * 8_000, "(" * 5_000, "-" * 300, "." * 300, "0" * 400, "/" * 2_000, "=" * 2_000, "[[[[" * 900),
    *(
        "\x00",
        "pod\x00crash",
        "\u202epod",
        "\U000e0041",
        "\ufeff",
        "e\u0301" * 500,
        "日本語",
        "\U0001f4a5" * 50,
        "ﬁ",
        "İ",
        "ǆ",
    ),
    *("1e309", "NaN", "null", "true", "../../etc/passwd", "_", ",,,,,,", "!!!", "??", "#", "@", "&&", "||", "\u2028 x"),
    *("http://" + "a" * 2_000, "alertname=" * 500, '{"labels":{"alertname":"KubePodCrashLooping"}}', '{"labels":'),
    *("alertname: X\nseverity: page\n" * 200, 'ALERTS{alertstate="firing"}', "sum(rate(x[5m])) > 0"),
    "2026-11-02T10:30:00Z ERROR [main] o.e.j.Server - boom\n\tat a.b.C(D.java:1)\n" * 40,
]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder: Path = tmp_path_factory.mktemp("index")
    store = MemoryRunbookStore(dict(FILES), parse=parse_document, now=lambda: NOW)
    store.sync(DISK)
    embedder = HashingEmbedder()
    index = Index(folder / "index", embedder, EmbeddingCache(folder / "cache.db", warn=pytest.fail), warn=pytest.fail)
    index.refresh(store)
    pins = MemoryPins(now=lambda: NOW)
    finder = Finder(Searcher(embedder), lambda: index.current, pins, new_id=lambda: "s")
    yield Services(
        store=store,
        pins=pins,
        recorder=Recorder(MemorySearchLog(redact=str), now=lambda: NOW),
        find=finder,
        reports=Reports(lambda: "", _no_health, _no_usage),
        store_changed=lambda: None,
        pins_changed=finder.forget_pins,
        refresh=lambda request: Refreshed(store.sync(DISK), "", ""),
        learning=_no_learning,
        start=lambda: None,
        stop=lambda: None,
        now=lambda: NOW,
    )
    index.close()


def _no_learning() -> Learning:
    raise AssertionError("a search learns nothing")


def _no_health() -> Health:
    return Health((), 0, 0, "g", "", read_only=False, version="0", uptime_s=0.0)


def _no_usage() -> Usage:
    return Usage({}, 0, 0, 0, 0, 0, ())


@pytest.fixture(scope="module")
def client(services: Services) -> TestClient:
    return TestClient(create_app(services, load_settings({}), new_id=lambda: "r"), base_url="http://127.0.0.1")


@pytest.mark.parametrize("text", AWKWARD, ids=lambda text: repr(text[:24]))
def test_an_awkward_query_is_answered_over_get_and_post(client: TestClient, text: str) -> None:
    answers = [client.get("/runbooks/search", params={"q": text}), client.post("/runbooks/search", json={"text": text})]
    for answer in answers:
        assert answer.status_code == 200 or (
            answer.status_code == 422 and not text.strip(string.whitespace + "\x00\ufeff")
        )


@pytest.mark.parametrize("count", [2_000, pytest.param(50_000, marks=pytest.mark.soak)])
def test_random_queries_are_answered(services: Services, count: int) -> None:
    chance = random.Random(count)
    alphabet = string.printable + "äßéñ日本語Ωж\u0301\u200b\u202e\U0001f4a5\U000e0041\x00\x1b"
    slowest = 0.0
    for _ in range(count):
        text = "".join(chance.choices(alphabet, k=chance.choice((1, 3, 8, 20, 60, 300))))
        began = time.perf_counter()
        try:
            answer = services.search(SearchRequest(text=text), local(Face.HTTP))
        except InvalidInput:
            assert not text.strip()
            continue
        slowest = max(slowest, time.perf_counter() - began)
        assert answer.generation
    assert slowest < 2.0  # seconds; a pattern that backtracks takes minutes
