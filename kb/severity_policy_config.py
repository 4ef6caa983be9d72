"""A severity policy from configuration: a mapping as TOML gives it, laid over another policy (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kb.durations import parse_duration
from kb.errors import InvalidInput
from kb.printable import one_line
from kb.severity import Severity, parse_severity
from kb.severity_policy import DEFAULT_POLICY, Duty, Escalation, Level, Moment, Phase, SeverityPolicy
from kb.slugs import is_valid_id

MAX_TEXT_CHARS = 500
MAX_ENTRIES = 50

Reader = Callable[[object, str], Any]


def policy_from(
    mapping: Mapping[str, object], *, base: SeverityPolicy = DEFAULT_POLICY, where: str = "severity_policy"
) -> SeverityPolicy:
    """`base` with what `mapping` names in its place.

    Keys: `when_unknown`; `levels`, by severity in any vocabulary, with `code`, `definition`, `examples`,
    `respond_within`, `resolve_within`, `escalation` (a list of `to` and `after`), `phases` (a list of `name`, `from`
    and `until`); `duties`, by id, with `text`, `to`, `after`, `since`, `until` (or "never"), `every` (or "once") and
    `severities`, or `false` in the place of all that to drop one. Lengths of time are written as `kb.durations` reads
    them. What a level or a duty does not name stays as it is in `base`. Raises `InvalidInput` that names the key.
    """
    given = _fields(mapping, where, {"when_unknown": _severity, "levels": _as_it_is, "duties": _as_it_is})
    levels = dict(base.levels)
    for name, value in _entries(given.get("levels", {}), f"{where}.levels"):
        severity = _severity(name, f"{where}.levels.{name}")
        levels[severity] = _level(value, f"{where}.levels.{name}", base.levels.get(severity), severity)
    duties = {duty.id: duty for duty in base.duties}
    for name, value in _entries(given.get("duties", {}), f"{where}.duties"):
        if value is False:
            duties.pop(name, None)
        else:
            duties[name] = _duty(value, f"{where}.duties.{name}", duties.get(name), name)
    return SeverityPolicy(levels, tuple(duties.values()), given.get("when_unknown", base.when_unknown))


def _level(value: object, where: str, base: Level | None, severity: Severity) -> Level:
    given = _fields(value, where, _LEVEL)
    if base is None:
        _require(given, where, ("respond_within", "resolve_within"))
        base = Level(severity, severity.value, "", (), 0.0, 0.0, ())
    return replace(base, **given)


def _duty(value: object, where: str, base: Duty | None, name: str) -> Duty:
    given = _fields(value, where, _DUTY)
    if base is None:
        if not is_valid_id(name):
            raise InvalidInput(where, "is not an id", advice="Use small letters, digits and hyphens.")
        _require(given, where, ("text", "after"))
        base = Duty(name, "", "", 0.0)
    duty = replace(base, **given)
    if duty.every_s is not None and duty.every_s < 1:
        raise InvalidInput(f"{where}.every", "is shorter than a second", advice="Say how often, such as '30m'.")
    return duty


def _escalation(value: object, where: str) -> tuple[Escalation, ...]:
    steps = []
    for at, one in _listed(value, where):
        given = _fields(one, at, {"to": _text, "after": _seconds})
        _require(given, at, ("to",))
        steps.append(Escalation(given["to"], given.get("after_s", 0.0)))
    return tuple(sorted(steps, key=lambda step: step.after_s))


def _phases(value: object, where: str) -> tuple[Phase, ...]:
    phases = []
    for at, one in _listed(value, where):
        readers = {"name": _text, "from": _seconds, "until": _seconds}
        given = _fields(one, at, readers)
        _require(given, at, ("name", "from", "until"))
        if given["from_s"] >= given["until_s"]:
            raise InvalidInput(f"{at}.until", "does not lie after its beginning", advice="Correct the two times.")
        phases.append(Phase(**given))
    return tuple(phases)


def _fields(value: object, where: str, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """What a mapping gives, read, by the name of its field: a length of time is a field in seconds."""
    fields = {}
    for key, one in _entries(value, where):
        if key not in readers:
            known = ", ".join(sorted(readers))
            raise InvalidInput(f"{where}.{key}", "is not a known key", advice=f"Known are {known}.")
        read = readers[key]
        fields[f"{key}_s" if read in (_seconds, _period) else key] = read(one, f"{where}.{key}")
    return fields


def _entries(value: object, where: str) -> list[tuple[str, object]]:
    if not isinstance(value, Mapping):
        raise InvalidInput(where, "is not a table", advice="Write it as keys with values.")
    if len(value) > MAX_ENTRIES:
        raise InvalidInput(where, f"has more than {MAX_ENTRIES} entries", advice="Leave out what nobody can follow.")
    return [(one_line(str(key))[:100], one) for key, one in value.items()]


def _listed(value: object, where: str) -> list[tuple[str, object]]:
    if not isinstance(value, list | tuple) or len(value) > MAX_ENTRIES:
        raise InvalidInput(where, f"is not a list of at most {MAX_ENTRIES} entries", advice="Write it as a list.")
    return [(f"{where}[{number}]", one) for number, one in enumerate(value)]


def _require(given: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    """`keys` as the configuration writes them; fields that count seconds have that in their names."""
    for key in keys:
        if key not in given and f"{key}_s" not in given:
            raise InvalidInput(f"{where}.{key}", "is missing", advice="Something new needs it.")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT_CHARS:
        raise InvalidInput(where, "is not a text", advice=f"Write 1 to {MAX_TEXT_CHARS} characters.")
    return one_line(value.strip())


def _texts(value: object, where: str) -> tuple[str, ...]:
    return tuple(_text(one, at) for at, one in _listed(value, where))


def _seconds(value: object, where: str) -> float:
    return parse_duration(value, field=where)


def _severity(value: object, where: str) -> Severity:
    severity = parse_severity(value) if isinstance(value, str) else None
    if severity is None:
        raise InvalidInput(where, "names no severity", advice="Use critical, high, medium, low or info.")
    return severity


def _severities(value: object, where: str) -> frozenset[Severity]:
    return frozenset(_severity(one, at) for at, one in _listed(value, where))


def _moment(value: object, where: str) -> Moment:
    if not isinstance(value, str) or value not in tuple(Moment):
        raise InvalidInput(where, "is not a moment", advice="Use started, acknowledged or resolved.")
    return Moment(value)


def _end(value: object, where: str) -> Moment | None:
    return None if value == "never" else _moment(value, where)


def _period(value: object, where: str) -> float | None:
    return None if value == "once" else _seconds(value, where)


def _as_it_is(value: object, where: str) -> object:
    return value


_LEVEL: Mapping[str, Reader] = {
    "code": _text,
    "definition": _text,
    "examples": _texts,
    "respond_within": _seconds,
    "resolve_within": _seconds,
    "escalation": _escalation,
    "phases": _phases,
}
_DUTY: Mapping[str, Reader] = {
    "text": _text,
    "to": _text,
    "after": _seconds,
    "since": _moment,
    "until": _end,
    "every": _period,
    "severities": _severities,
}
