"""What an answer shows of a runbook: made from a stored document, and as JSON for the saved index (pure)."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import cast

from kb.hits import RunbookCard
from kb.runbook import ReviewState, RunbookType
from kb.runbook_store import StoredDocument
from kb.severity import Severity


def cards_of(stored: StoredDocument) -> tuple[RunbookCard, ...]:
    """One card for each runbook of the file, in the file's order."""
    return tuple(
        RunbookCard(
            id=runbook.id,
            title=runbook.title,
            path=runbook.path,
            anchor=runbook.anchor,
            type=runbook.type,
            state=stored.state,
            severity=runbook.severity,
            service=runbook.service,
            alerts=runbook.alerts,
            tags=runbook.tags,
            summary=runbook.summary,
            updated_at=stored.updated_at,
        )
        for runbook in stored.document.runbooks
    )


def card_to_json(card: RunbookCard) -> dict[str, object]:
    """Plain JSON values; `card_from_json` gives an equal card."""
    row: dict[str, object] = {field.name: getattr(card, field.name) for field in fields(card)}
    row["updated_at"] = card.updated_at.isoformat() if card.updated_at else None
    return row


def card_from_json(row: Mapping[str, object]) -> RunbookCard:
    """The card that `card_to_json` wrote."""
    text = cast("Mapping[str, str]", row)
    lists = cast("Mapping[str, list[str]]", row)
    return RunbookCard(
        id=text["id"],
        title=text["title"],
        path=text["path"],
        anchor=text["anchor"],
        type=RunbookType(text["type"]),
        state=ReviewState(text["state"]),
        severity=Severity(text["severity"]) if row["severity"] else None,
        service=text["service"],
        alerts=tuple(lists["alerts"]),
        tags=tuple(lists["tags"]),
        summary=text["summary"],
        updated_at=datetime.fromisoformat(text["updated_at"]) if row["updated_at"] else None,
    )
