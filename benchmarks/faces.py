"""What the faces add to a search: HTTP with several clients beside the same search in process, and the command line
from a cold start.

    python benchmarks/faces.py --corpus DIR [--queries queries.jsonl] [--data DIR] [--count 400] [--clients 4] [--json]

`--data` keeps the index between runs. Server, clients and the search in process are processes of their own and never
work at the same time as one another, except server and clients. No query is asked twice of the same process, so the
cache of query vectors helps nobody.
"""

import argparse
import http.client
import json
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

MAIN = [sys.executable, "-c", "import sys; from api.cli import main; sys.exit(main())"]
IN_PROCESS = """
import json, sys, time
from api.acts import SearchRequest
from api.settings import load_settings
from api.wiring import open_knowledge_base
from kb.principal import Face, local
texts = json.load(sys.stdin)
with open_knowledge_base(load_settings()) as base:
    base.catch_up()
    took = []
    for place, text in enumerate(texts):
        began = time.perf_counter()
        base.services.search(SearchRequest(text=text), local(Face.HTTP))
        if place >= 5:
            took.append(time.perf_counter() - began)
json.dump(took, sys.stdout)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="a folder of Markdown files")
    parser.add_argument("--queries", type=Path, help="JSON lines with a text each")
    parser.add_argument("--data", type=Path, help="where the index is kept; a temporary folder without it")
    parser.add_argument("--count", type=int, default=400, help="queries a side")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SRE_KB_")},
            "SRE_KB_RUNBOOKS_DIR": str(args.corpus.absolute()),
            "SRE_KB_DATA_DIR": str((args.data or Path(folder)).absolute()),
            "SRE_KB_PORT": "0",
        }
        subprocess.run([*MAIN, "index"], env=environment, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        texts = read_queries(args.queries, args.corpus, args.count)
        report = {
            "in_process": in_process(texts, environment),
            "http": over_http(texts, environment, args.clients),
            "cold_search": cold_searches(texts[:10], environment),
        }
    report["http_p95_by_in_process_p50"] = round(report["http"]["p95_ms"] / report["in_process"]["p50_ms"], 2)
    print(json.dumps(report) if args.json else json.dumps(report, indent=2))


def read_queries(path: Path | None, corpus: Path, count: int) -> list[str]:
    """Texts to ask; the corpus's own headings when no file is given."""
    if path is None:
        found = [
            line.lstrip("# ").strip()
            for file in sorted(corpus.rglob("*.md"))
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
            if line.startswith("#")
        ]
    else:
        found = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    texts = list(dict.fromkeys(text for text in found if text))
    step = max(1, len(texts) // count)
    return texts[::step][:count]


def in_process(texts: Sequence[str], environment: dict[str, str]) -> dict[str, float]:
    """One after the other in a process of their own."""
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS],
        input=json.dumps(texts),
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return summary(json.loads(done.stdout))


def over_http(texts: Sequence[str], environment: dict[str, str], clients: int) -> dict[str, float]:
    """Each client asks its share, one after the other over one connection."""
    server = subprocess.Popen(
        [*MAIN, "serve"], env=environment, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert server.stderr is not None
        origin = next(match[1] for line in server.stderr if (match := re.search(r"serves on (http://\S+)/", line)))
        threading.Thread(target=lambda: [None for _ in server.stderr or ()], daemon=True).start()
        parts = urlsplit(origin)
        wait_until_ready(str(parts.hostname), int(parts.port or 0))
        took: list[float] = []
        threads = [
            threading.Thread(target=ask, args=(parts.hostname, parts.port, texts[n::clients], took))
            for n in range(clients)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall = time.perf_counter() - began
        resident = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())[1]) / 1024  # type: ignore[index]
        return {**summary(took), "per_second": round(len(took) / wall, 1), "server_mb": round(resident)}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def wait_until_ready(host: str, port: int) -> None:
    """Until the index is complete and the parsed runbooks are in memory."""
    for _ in range(600):
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        ready = answer.status == 200 and not json.loads(answer.read())["degraded"]
        connection.close()
        if ready:
            time.sleep(5)
            return
        time.sleep(0.1)
    raise TimeoutError("the server is not ready after a minute")


def ask(host: str, port: int, texts: Sequence[str], took: list[float]) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    for place, text in enumerate(texts):
        began = time.perf_counter()
        connection.request("GET", f"/runbooks/search?q={quote(text[:3000])}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(body)
        if place >= 2:
            took.append(time.perf_counter() - began)
    connection.close()


def cold_searches(texts: Sequence[str], environment: dict[str, str]) -> dict[str, float]:
    """The whole command from start to end, wall time and processor time."""
    walls, cpus = [], []
    for text in texts:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        subprocess.run([*MAIN, "search", "--", text], env=environment, cwd=REPOSITORY, capture_output=True, check=False)
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "median_s": round(statistics.median(walls), 3),
        "worst_s": round(max(walls), 3),
        "median_cpu_s": round(statistics.median(cpus), 3),
    }


def summary(took: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(took)
    return {
        "count": len(ordered),
        "p50_ms": round(1000 * ordered[len(ordered) // 2], 2),
        "p95_ms": round(1000 * ordered[int(0.95 * (len(ordered) - 1))], 2),
    }


if __name__ == "__main__":
    main()
