"""Values of the inner rooms -> bodies of `api.schemas`. Pure; the HTTP routes and the command line's --json share it,
so that both say the same in the same words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from api import schemas
from api.acts import Check, Health, Refreshed, RunbookPage, RunbookView, Usage
from api.web.urls import Urls
from kb.hits import Answer, Hit
from kb.pins import Pin
from kb.runbook import Problem
from kb.runbook_store import Version

# Search marks matched words with these two, for faces that can show it; a JSON snippet is plain text.
_MARKS = str.maketrans("", "", "\x02\x03")


def time_text(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second, such as 2026-11-02T10:30:00Z."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(text: str) -> str:
    """Text that any encoder accepts, without the marks of matched words."""
    text = text.translate(_MARKS)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def search_answer(answer: Answer, urls: Urls) -> schemas.SearchAnswer:
    """A whole answer."""
    return schemas.SearchAnswer(
        results=[hit_out(hit, urls, answer.search_id) for hit in answer.hits],
        total=len(answer.hits),
        search_time=f"{answer.took_s:.3f}s",
        query=plain(answer.query),
        confident=answer.confident,
        near_misses=[hit_out(hit, urls, answer.search_id) for hit in answer.near_misses],
        drafts=[hit_out(hit, urls, answer.search_id) for hit in answer.drafts],
        degraded=answer.degraded,
        generation=answer.generation,
        search_id=answer.search_id,
    )


def hit_out(hit: Hit, urls: Urls, search_id: str) -> schemas.HitOut:
    """One hit."""
    card = hit.runbook
    return schemas.HitOut(
        id=card.id,
        title=plain(card.title),
        type=card.type,
        severity=card.severity,
        relevance_score=round(hit.score, 4),
        summary=plain(card.summary),
        last_updated=time_text(card.updated_at),
        section=plain(" > ".join(part for part in hit.chunk.section_path if part)),
        anchor=hit.chunk.anchor,
        snippet=plain(hit.snippet),
        confidence=round(hit.confidence, 3),
        reasons=schemas.ReasonsOut(
            matched_terms=[plain(term) for term in hit.reasons.matched_terms],
            parts=[
                schemas.ScorePart(name=part.name, value=round(part.value, 4), contribution=round(part.contribution, 4))
                for part in hit.reasons.parts
            ],
            notes=[plain(note) for note in hit.reasons.notes],
        ),
        state=card.state,
        service=plain(card.service),
        alerts=[plain(alert) for alert in card.alerts],
        tags=[plain(tag) for tag in card.tags],
        url=urls.runbook(card.id, search_id=search_id, anchor=hit.chunk.anchor),
    )


def runbook_summary(view: RunbookView, urls: Urls) -> schemas.RunbookSummary:
    """A runbook in a list."""
    return schemas.RunbookSummary(**_summary_fields(view, urls))


def runbook_list(page: RunbookPage, urls: Urls) -> schemas.RunbookList:
    """A page of the list."""
    return schemas.RunbookList(
        runbooks=[runbook_summary(view, urls) for view in page.items],
        total=page.total,
        offset=page.offset,
        limit=page.limit,
    )


def runbook_out(view: RunbookView, urls: Urls) -> schemas.RunbookOut:
    """A whole runbook."""
    runbook, document = view.runbook, view.stored.document
    return schemas.RunbookOut(
        **_summary_fields(view, urls),
        content=plain(runbook.text),
        sections=[
            schemas.SectionOut(
                anchor=section.anchor,
                title=plain(section.title),
                level=section.level,
                path=[plain(part) for part in section.path],
            )
            for section in runbook.sections
            if section.anchor
        ],
        document_id=document.id,
        etag=view.stored.etag,
        reviewed=runbook.reviewed.isoformat() if runbook.reviewed else None,
        problems=problems_out(document.problems),
    )


def problems_out(problems: Sequence[Problem]) -> list[schemas.ProblemOut]:
    """What authors should know about their files."""
    return [
        schemas.ProblemOut(
            code=problem.code,
            level=problem.level.value,
            message=plain(problem.message),
            advice=plain(problem.advice),
            path=plain(problem.path),
            line=problem.line,
        )
        for problem in problems
    ]


def version_out(version: Version) -> schemas.VersionOut:
    """One version."""
    return schemas.VersionOut(
        number=version.number,
        sha256=version.sha256,
        author=plain(version.author),
        role=version.role.value,
        face=version.face.value,
        created_at=time_text(version.created_at) or "",
        event_time=time_text(version.event_time) or "",
        state=version.state,
        note=plain(version.note),
        size_bytes=version.size_bytes,
        path=plain(version.path),
    )


def pin_out(pin: Pin) -> schemas.PinOut:
    """One pin."""
    return schemas.PinOut(
        alertname=plain(pin.alert_name),
        runbook_id=pin.runbook_id,
        note=plain(pin.note),
        pinned_by=plain(pin.pinned_by),
        pinned_at=time_text(pin.event_time) or "",
    )


def check_out(check: Check) -> schemas.CheckOut:
    """One thing that was looked at."""
    return schemas.CheckOut(name=check.name, ok=check.ok, detail=plain(check.detail), advice=plain(check.advice))


def health_out(health: Health) -> schemas.HealthOut:
    """How the knowledge base is."""
    return schemas.HealthOut(
        status=health.status,
        checks=[check_out(check) for check in health.checks],
        runbooks=health.runbooks,
        documents=health.documents,
        generation=health.generation,
        degraded=health.degraded,
        read_only=health.read_only,
        version=health.version,
        uptime_s=round(health.uptime_s, 1),
    )


def usage_out(usage: Usage) -> schemas.UsageOut:
    """What is stored."""
    return schemas.UsageOut(
        runbooks={plain(folder): size for folder, size in usage.runbooks.items()},
        database_bytes=usage.database_bytes,
        index_bytes=usage.index_bytes,
        cache_bytes=usage.cache_bytes,
        free_bytes=usage.free_bytes,
        documents=usage.documents,
        problems=problems_out(usage.problems),
    )


def refresh_out(refreshed: Refreshed) -> schemas.RefreshOut:
    """What a look at the folders found."""
    report = refreshed.report
    return schemas.RefreshOut(
        added=list(report.added),
        changed=list(report.changed),
        renamed=list(report.renamed),
        removed=list(report.removed),
        unchanged=len(report.unchanged),
        problems=problems_out(report.problems),
        generation=refreshed.generation,
        degraded=refreshed.degraded,
    )


def _summary_fields(view: RunbookView, urls: Urls) -> dict[str, Any]:
    runbook, stored = view.runbook, view.stored
    return {
        "id": runbook.id,
        "title": plain(runbook.title),
        "type": runbook.type,
        "severity": runbook.severity,
        "service": plain(runbook.service),
        "state": stored.state,
        "alerts": [plain(alert) for alert in runbook.alerts],
        "tags": [plain(tag) for tag in runbook.tags],
        "owner": plain(runbook.owner),
        "summary": plain(runbook.summary),
        "path": plain(runbook.path),
        "anchor": runbook.anchor,
        "version": stored.version,
        "last_updated": time_text(stored.updated_at),
        "url": urls.runbook(runbook.id),
    }
