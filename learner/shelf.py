"""What patterns are made of, kept in memory: learnt incidents without the texts that only search and pages need."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from kb.incident import Incident, Resolution

Value = TypeVar("Value")

_MAX_SHARED_CHARS = 400
"""Longer texts seldom repeat."""


class Shelf:
    """Learnt incidents by id. Texts and steps that repeat are kept once. Not thread-safe."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._shared: dict[object, object] = {}

    def put(self, incident: Incident) -> None:
        """Remember an incident, or what it says now."""
        self._incidents[incident.id] = self._lean(incident)

    def drop(self, incident_id: str) -> None:
        """Forget one; forgetting what was never known changes nothing."""
        self._incidents.pop(incident_id, None)

    def get_many(self, incident_ids: Iterable[str]) -> list[Incident]:
        """Those of the ids that are known, in that order."""
        return [self._incidents[key] for key in incident_ids if key in self._incidents]

    def __len__(self) -> int:
        return len(self._incidents)

    def _lean(self, incident: Incident) -> Incident:
        return replace(
            incident,
            description="",
            labels={},
            links=(),
            metadata={},
            source_id="",
            fingerprint="",
            service=self._share(incident.service),
            reported_by=self._share(incident.reported_by),
            alerts=self._share(incident.alerts),
            symptoms=self._texts(incident.symptoms),
            diagnosis=tuple(self._share(step) for step in incident.diagnosis),
            resolution=None if incident.resolution is None else self._resolution(incident.resolution),
            lessons=self._texts(incident.lessons),
            prevention=self._texts(incident.prevention),
        )

    def _resolution(self, resolution: Resolution) -> Resolution:
        return replace(resolution, actions=tuple(self._share(action) for action in resolution.actions))

    def _texts(self, texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._share(text) if len(text) <= _MAX_SHARED_CHARS else text for text in texts)

    def _share(self, value: Value) -> Value:
        return self._shared.setdefault(value, value)  # type: ignore[return-value]  # an equal value of its own type
