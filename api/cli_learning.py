"""What can be typed about incidents and what was learnt from them. `api.cli` adds these commands to its own."""

from pathlib import Path
from typing import Annotated

import typer

from api.dispatch import Json, run_command

app = typer.Typer(rich_markup_mode=None)

Zone = Annotated[str, typer.Option("--zone", help="The zone of times that name none, such as Europe/Berlin.")]
DayFirst = Annotated[
    bool | None,
    typer.Option("--day-first/--month-first", help="Which number of a date such as 1/2/2024 is the day."),
]
Format = Annotated[
    str,
    typer.Option("--format", help="own, pagerduty, incident.io, jira or servicenow; the columns tell unless you do."),
]
Encoding = Annotated[str, typer.Option("--encoding", help="Of a CSV file, such as cp1252.")]
Source = Annotated[str, typer.Option("--source", help="Where incidents come from that do not say so.")]


@app.command(
    epilog="Examples:  sre-kb learn incidents.jsonl   |   sre-kb learn jira.csv --zone Europe/Berlin --day-first   |   "
    "sre-kb learn pagerduty.json --json"
)
def learn(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, a JSON document, or CSV.")],
    source: Source = "import",
    format: Format = "",
    zone: Zone = "UTC",
    day_first: DayFirst = None,
    encoding: Encoding = "utf-8",
    restart: Annotated[
        bool, typer.Option("--restart", help="Read the file from its beginning, whatever was done of it before.")
    ] = False,
    drafts: Annotated[
        bool, typer.Option("--drafts/--no-drafts", help="Write draft runbooks for what was learnt.")
    ] = True,
    assignments_out: Annotated[
        Path | None,
        typer.Option("--assignments-out", help="Write the pattern of each incident of the file here, as JSON lines."),
    ] = None,
    json: Json = False,
) -> None:
    """Learn from a file of incidents. Needs no server. Ends with 1 when an entry was refused."""
    run_command(
        "learn",
        path=file,
        source=source,
        format=format,
        zone=zone,
        day_first=day_first,
        encoding=encoding,
        restart=restart,
        drafts=drafts,
        assignments_out=assignments_out,
        as_json=json,
    )


@app.command(epilog="Examples:  sre-kb replay last-month.jsonl   |   sre-kb replay alerts.jsonl --out said.jsonl")
def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Incidents as for learn, or alerts, one JSON object a line.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write each answer here, as JSON lines.")] = None,
    format: Format = "",
    zone: Zone = "UTC",
    day_first: DayFirst = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Tell what would be recommended today for alerts or incidents of the past. Learns nothing."""
    run_command(
        "replay",
        path=file,
        out_path=out,
        format=format,
        zone=zone,
        day_first=day_first,
        encoding=encoding,
        as_json=json,
    )


@app.command(epilog="Examples:  sre-kb incidents --status open   |   sre-kb incidents --pattern pat-0123456789 --json")
def incidents(
    text: Annotated[str, typer.Argument(help="Only whose title, service, id or alerts contain this.")] = "",
    status: Annotated[str, typer.Option(help="Only open, acknowledged or resolved ones.")] = "",
    severity: Annotated[str, typer.Option(help="Only of this severity.")] = "",
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    pattern: Annotated[str, typer.Option(help="Only of the pattern with this id.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="At most this many.")] = 20,
    json: Json = False,
) -> None:
    """List incidents, the latest first."""
    run_command(
        "incidents",
        text=text,
        status=status,
        severity=severity,
        service=service,
        pattern=pattern,
        limit=limit,
        as_json=json,
    )


@app.command(epilog="Example:  sre-kb incident inc-0123456789abcdef")
def incident(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id.")],
    json: Json = False,
) -> None:
    """Show an incident with what is due, its pattern and what helped others of its kind."""
    run_command("incident", module="incidents", incident_id=incident_id, as_json=json)


@app.command(epilog="Examples:  sre-kb patterns   |   sre-kb patterns --json")
def patterns(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most this many, the most frequent.")] = 30,
    json: Json = False,
) -> None:
    """List what recurs, the most frequent first."""
    run_command("patterns", limit=limit, as_json=json)


@app.command(
    epilog="Examples:  sre-kb pattern pat-0123456789   |   sre-kb pattern pat-0123456789 --name 'Disk of db-1 fills'"
)
def pattern(
    pattern_id: Annotated[str, typer.Argument(metavar="ID", help="The pattern's id, or one it had before.")],
    name: Annotated[str | None, typer.Option("--name", help="Call it so, for good.")] = None,
    merge: Annotated[
        list[str] | None, typer.Option("--merge", help="Make it one with this pattern, for good; may be repeated.")
    ] = None,
    json: Json = False,
) -> None:
    """Show a pattern with its numbers and the incidents they rest on."""
    run_command("pattern", module="patterns", pattern_id=pattern_id, name=name, merge=merge or [], as_json=json)


@app.command(
    epilog="Examples:  sre-kb recommend 'disk is full on db-1'   |   sre-kb recommend --alert-file alert.json --json"
)
def recommend(
    text: Annotated[list[str] | None, typer.Argument(help="What you see. Without it, standard input is read.")] = None,
    alert_file: Annotated[
        Path | None,
        typer.Option("--alert-file", "-a", help="A JSON file with an alert as its sender writes it; - for stdin."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="At most this many runbooks.")] = 3,
    json: Json = False,
) -> None:
    """Tell what ended such incidents before, and which runbooks match. Ends with 1 when nothing is known."""
    run_command("recommend", words=text or [], alert_file=alert_file, limit=limit, as_json=json)


@app.command(
    epilog="Examples:  sre-kb review   |   sre-kb review show ID   |   sre-kb review approve ID   |   "
    "sre-kb review reject ID --reason 'a duplicate'   |   sre-kb review promote RUNBOOK"
)
def review(
    act: Annotated[
        str, typer.Argument(metavar="[ACT]", help="list, show, edit, approve, reject, undo, or promote.")
    ] = "list",
    subject: Annotated[str, typer.Argument(metavar="[ID]", help="The review's id; for promote, the runbook's.")] = "",
    status: Annotated[str, typer.Option(help="List those that are open, approved, rejected, undone, or all.")] = "open",
    digest: Annotated[
        str, typer.Option("--digest", help="Decide only when the draft has this digest, as show prints it.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it is turned down, or taken back.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", help="The new text for edit; without it, standard input is read.")
    ] = None,
    json: Json = False,
) -> None:
    """List the learner's drafts, show one, and decide about it."""
    run_command(
        "review",
        act=act,
        subject=subject,
        status=status,
        digest=digest,
        reason=reason,
        file=file,
        as_json=json,
    )


@app.command(epilog="Examples:  sre-kb insights   |   sre-kb insights --rules > recurrence.rules.yml")
def insights(
    rules: Annotated[bool, typer.Option("--rules", help="Print the Prometheus rule file that follows.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most this many, the weightiest.")] = 20,
    json: Json = False,
) -> None:
    """Tell what patterns and the use of runbooks ask people to do."""
    run_command("insights", rules=rules, limit=limit, as_json=json)


@app.command(epilog="Example:  sre-kb trends --days 14")
def trends(
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days, today included.")] = 30,
    json: Json = False,
) -> None:
    """Count incidents by the day they began."""
    run_command("trends", days=days, as_json=json)
