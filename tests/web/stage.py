"""A whole application over stores in memory and a search that tests can steer: what it finds follows from the words of
a text alone, and it can be told to be slow, degraded or broken."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

import uvicorn
from fastapi import FastAPI

from api.acts import Health, Refreshed, SearchRequest, Usage
from api.app import create_app
from api.learning.parts import LearnerPart
from api.recording import Recorder
from api.services import Reports, Services
from api.settings import Settings, load_settings
from kb.errors import KBError
from kb.hits import Answer, Chunk, Hit, Part, Reasons, RunbookCard
from kb.markdown import parse_document
from kb.memory_logs import MemoryPins, MemorySearchLog
from kb.memory_records import MemoryRecords
from kb.memory_stores import MemoryRunbookStore
from kb.principal import DISK
from kb.redact import redact
from kb.runbook import ReviewState, Runbook, Section
from kb.runbook_store import StoredDocument
from tests.web.learning_stage import build_learning

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SURE = 0.5

CRASH = """---
id: pod-crash
title: Pod is crash looping
severity: high
service: kubernetes
alerts: [KubePodCrashLooping]
tags: [pod, restart]
owner: platform-oncall
reviewed: 2026-03-01
review_interval: 90d
---

# Pod is crash looping

The kubelet starts a container again and again, and waits longer each time.

## Symptoms

- The restart count grows. See also [a full disk](../node/disk-full.md).

## Diagnosis

Read the last words of the run that died.

```bash
kubectl -n <namespace> logs <pod> -c <container> --previous --tail=80
```

Ask Prometheus how often it happens.

```promql
rate(kube_pod_container_status_restarts_total{namespace="<namespace>"}[15m])
```

| Exit code | Reading |
|---|---|
| 137 | out of memory |

## Recovery

Go back to the revision that worked.

```bash
kubectl --context <cluster> -n <namespace> rollout undo deployment/<deployment>
```

- [ ] told the team
- [ ] wrote the timeline
"""

DISK_FULL = """---
id: disk-full
title: Disk is filling up
severity: critical
service: node
alerts: [NodeFilesystemAlmostOutOfSpace]
tags: [disk]
---

# Disk is filling up

A filesystem has little space left on the node.

## Diagnosis

Find what grows.

```console
$ ssh <node> du -xh <mountpoint>
12G /var/log
```
"""

AGENT = """# Alerts of the queue

Many alerts in one file.

## Alert: QueueIsStuck

The queue grows and nothing is taken from it.

```bash
rabbitmqctl list_queues -p <vhost>
```

## Alert: QueueConsumersGone

No consumer is connected to the queue.
"""

DRAFT = """---
id: pod-draft
title: Pods crash after a secret was rotated
alerts: [KubePodCrashLooping]
---

# Pods crash after a secret was rotated

Learned from three incidents: the crash ends when the pod is recreated.
"""

FILES: Mapping[str, bytes] = {
    "static/kubernetes/pod-crash.md": CRASH.encode(),
    "static/node/disk-full.md": DISK_FULL.encode(),
    "static/agent.md": AGENT.encode(),
    "dynamic/incidents/pod-draft.md": DRAFT.encode(),
}


def words_of(text: str) -> set[str]:
    """Lower-case words of three letters and more; names split at their humps."""
    return set(re.findall(r"[a-z]{3,}", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()))


@dataclass
class Search:
    """A search by shared words. `delays` (query -> seconds), `degraded` and `error` make it misbehave."""

    store: MemoryRunbookStore
    delays: dict[str, float] = field(default_factory=dict)
    degraded: str = ""
    error: KBError | None = None
    asked: list[SearchRequest] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def __call__(self, request: SearchRequest) -> Answer:
        self.asked.append(request)
        time.sleep(self.delays.get(request.text, 0.0))
        if self.error is not None:
            raise self.error
        text = request.text or (request.alert.name if request.alert else "")
        hits = sorted(self._hits(request, words_of(text)), key=lambda hit: (-hit.score, hit.runbook.id))
        sure = tuple(hit for hit in hits if hit.confidence >= SURE and hit.runbook.state is not ReviewState.DRAFT)
        rest = tuple(hit for hit in hits if hit.confidence < SURE and hit.runbook.state is not ReviewState.DRAFT)
        drafts = tuple(hit for hit in hits if hit.runbook.state is ReviewState.DRAFT and hit.confidence >= SURE)
        return Answer(
            search_id=f"s{next(self.numbers)}",
            query=text,
            hits=sure[: request.limit],
            near_misses=rest[:3],
            drafts=drafts,
            confident=bool(sure),
            generation="0123456789abcdef",
            degraded=self.degraded,
            took_s=0.0042,
        )

    def _hits(self, request: SearchRequest, asked: set[str]) -> Iterator[Hit]:
        for stored in self.store.documents():
            for runbook in stored.document.runbooks:
                if request.severity in (None, runbook.severity) and request.service in ("", runbook.service):
                    hit = _hit(runbook, stored, asked)
                    if hit.score > 0:
                        yield hit


def _hit(runbook: Runbook, stored: StoredDocument, asked: set[str]) -> Hit:
    def shared(section: Section) -> int:
        return len(asked & words_of(runbook.text[section.start : section.end]))

    best = max(runbook.sections, key=shared)
    named = asked & words_of(" ".join((runbook.title, *runbook.alerts)))
    share = len(named | (asked & words_of(runbook.text))) / max(1, len(asked))
    text = " ".join(runbook.text[best.start : best.end].split())[:160]
    snippet = re.sub(r"[A-Za-z]{3,}", lambda m: f"\x02{m[0]}\x03" if m[0].lower() in asked else m[0], text)
    return Hit(
        runbook=RunbookCard(
            runbook.id,
            runbook.title,
            runbook.path,
            runbook.anchor,
            runbook.type,
            stored.state,
            runbook.severity,
            runbook.service,
            runbook.alerts,
            runbook.tags,
            runbook.summary,
            stored.updated_at,
        ),
        chunk=Chunk(runbook.id, best.anchor, best.path, best.start, best.end, text),
        score=share + 0.1 * len(named),
        confidence=min(0.97, share),
        dense_rank=1,
        lexical_rank=1,
        snippet=snippet,
        reasons=Reasons(tuple(sorted(named)), (Part("meaning", share, share / 2), Part("words", share, share / 2)), ()),
    )


@dataclass
class Stage:
    """One application and what tests may reach behind it."""

    app: FastAPI
    store: MemoryRunbookStore
    search: Search
    pins: MemoryPins
    log: MemorySearchLog
    records: MemoryRecords


def build_stage(
    files: Mapping[str, bytes] = FILES, *, learner: Callable[[], LearnerPart] | None = None, **settings: object
) -> Stage:
    """An application over `files`; with `learner` it is asked in place of a real one."""
    store = MemoryRunbookStore(dict(files), parse=parse_document, now=lambda: NOW)
    store.sync(DISK)
    search = Search(store)
    numbers = count()
    pins = MemoryPins(now=lambda: NOW)
    log = MemorySearchLog(redact=str)
    services = Services(
        store=store,
        pins=pins,
        recorder=Recorder(log, now=lambda: NOW),
        find=search,
        reports=Reports(lambda: "", _health, _usage),
        store_changed=lambda: None,
        pins_changed=lambda: None,
        refresh=lambda request: _refresh(store),
        learning=lambda: learning,
        start=lambda: None,
        stop=lambda: None,
        now=lambda: NOW,
    )
    records = MemoryRecords(now=lambda: NOW, new_id=lambda: f"id-{next(numbers)}", redact=redact)
    learning = build_learning(records, search=services.search, learner=learner, runbooks=store, now=lambda: NOW)
    chosen: Settings = load_settings({}, **settings)
    return Stage(
        create_app(services, chosen, new_id=lambda: f"request-{next(numbers)}"), store, search, pins, log, records
    )


def _health() -> Health:
    return Health((), 4, 4, "0123", "", read_only=False, version="0", uptime_s=1.0)


def _usage() -> Usage:
    return Usage({}, 0, 0, 0, 0, 4, ())


def _refresh(store: MemoryRunbookStore) -> Refreshed:
    return Refreshed(store.sync(DISK), "0123456789abcdef", "")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a free port of the loopback interface; gives its origin."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
