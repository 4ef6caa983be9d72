"""The command line: what can be typed, and how failures end. Each command's module is imported when it is called, so
that a search does not wait for what only a server needs."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from api import cli_learning
from api.dispatch import Json
from api.dispatch import run_command as _run
from api.errors import CannotListen
from indexer.errors import EmbedderUnavailable, IndexBusy, IndexCorrupt, IndexOutdated
from kb.errors import InvalidInput, KBError, StorageUnavailable

# What a script may rely on; documented in docs/reference/cli.md.
EXIT_NO_MATCH = 1
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_UNAVAILABLE = 4
EXIT_BUG = 70
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="sre-kb",
    help="An alert finds the right section of the right runbook. Works offline; settings come from SRE_KB_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_UNAVAILABLE = (StorageUnavailable, EmbedderUnavailable, IndexCorrupt, IndexOutdated, IndexBusy, CannotListen)

RunbookId = Annotated[str, typer.Argument(metavar="ID", help="The runbook's id, as search and list show it.")]


@app.command(epilog="Examples:  sre-kb serve   |   sre-kb serve --port 9090")
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (SRE_KB_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (SRE_KB_PORT).")] = None,
) -> None:
    """Serve pages and HTTP, and index what changes in the runbooks folder."""
    _run("serve", host=host, port=port)


@app.command(epilog="Examples:  sre-kb index   |   sre-kb index --rebuild --json")
def index(
    rebuild: Annotated[bool, typer.Option(help="Read every file again and build the index from nothing.")] = False,
    accept_empty: Annotated[
        bool, typer.Option(help="Believe an empty runbooks folder and retire all that was in it.")
    ] = False,
    json: Json = False,
) -> None:
    """Read the runbooks folder and bring the search index up to date."""
    _run("index", rebuild=rebuild, accept_empty=accept_empty, as_json=json)


@app.command(
    epilog="Examples:  sre-kb search KubePodCrashLooping   |   sre-kb search 'disk is full on db-1'   |   "
    "sre-kb search --alert-file alert.json   |   journalctl -n 20 | sre-kb search"
)
def search(
    text: Annotated[
        list[str] | None, typer.Argument(help="A word, a question, a log line. Without it, standard input is read.")
    ] = None,
    alert_file: Annotated[
        Path | None,
        typer.Option(
            "--alert-file",
            "-a",
            help="A JSON file with an alert as Alertmanager, Grafana or n8n send it; - for stdin.",
        ),
    ] = None,
    type: Annotated[str, typer.Option(help="Only static, dynamic or template runbooks.")] = "",
    severity: Annotated[str, typer.Option(help="Only runbooks of this severity.")] = "",
    service: Annotated[str, typer.Option(help="Only runbooks for this service.")] = "",
    tag: Annotated[str, typer.Option(help="Only runbooks with this tag.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="At most this many hits.")] = 5,
    json: Json = False,
) -> None:
    """Find the runbook section for a text or an alert. Needs no server. Ends with 1 when nothing matches."""
    _run(
        "search",
        words=text or [],
        alert_file=alert_file,
        type=type,
        severity=severity,
        service=service,
        tag=tag,
        limit=limit,
        as_json=json,
    )


@app.command(epilog="Examples:  sre-kb show kube-pod-crash-looping   |   sre-kb show kube-pod-crash-looping --raw")
def show(
    runbook_id: RunbookId,
    anchor: Annotated[str, typer.Option(help="Only the section with this anchor.")] = "",
    raw: Annotated[bool, typer.Option(help="Print the file as it is.")] = False,
    json: Json = False,
) -> None:
    """Show a runbook."""
    _run("show", runbook_id=runbook_id, anchor=anchor, raw=raw, as_json=json)


@app.command("list", epilog="Examples:  sre-kb list   |   sre-kb list --tag postgres --json")
def list_runbooks(
    text: Annotated[str, typer.Argument(help="Only whose id, title, alerts or tags contain this.")] = "",
    type: Annotated[str, typer.Option(help="Only static, dynamic or template runbooks.")] = "",
    severity: Annotated[str, typer.Option(help="Only runbooks of this severity.")] = "",
    service: Annotated[str, typer.Option(help="Only runbooks for this service.")] = "",
    tag: Annotated[str, typer.Option(help="Only runbooks with this tag.")] = "",
    json: Json = False,
) -> None:
    """List runbooks."""
    _run("list", text=text, type=type, severity=severity, service=service, tag=tag, as_json=json)


@app.command("eval", epilog="Example:  sre-kb eval --corpus runbooks --queries queries.jsonl --qrels qrels.tsv")
def evaluate(
    corpus: Annotated[Path, typer.Option(help="A folder of Markdown files; indexed apart from your own.")],
    queries: Annotated[Path, typer.Option(help='JSON lines: {"qid": ..., "text": ..., "form": ...}.')],
    qrels: Annotated[Path, typer.Option(help="Right answers: query id, 0, file path, grade, separated by tabs.")],
    hide_right: Annotated[
        bool, typer.Option("--hide-right", help="Hide each query's right files: every confident answer is then false.")
    ] = False,
    run_out: Annotated[Path | None, typer.Option("--run-out", help="Write every query's ranked files here.")] = None,
    json: Json = False,
) -> None:
    """Measure search on a folder with known questions and right answers."""
    _run(
        "eval",
        module="evaluate",
        corpus=corpus,
        queries=queries,
        qrels=qrels,
        hide_right=hide_right,
        run_out=run_out,
        as_json=json,
    )


@app.command(epilog="Example:  sre-kb doctor")
def doctor(json: Json = False) -> None:
    """Check settings, folders, database, model and index, and say what to do. Ends with 1 when something is wrong."""
    _run("doctor", as_json=json)


@app.command(epilog="Example:  sre-kb versions kube-pod-crash-looping")
def versions(runbook_id: RunbookId, json: Json = False) -> None:
    """List a runbook's versions."""
    _run("versions", module="history", act="versions", runbook_id=runbook_id, as_json=json)


@app.command(epilog="Example:  sre-kb diff kube-pod-crash-looping 1 2")
def diff(
    runbook_id: RunbookId,
    old: Annotated[int, typer.Argument(metavar="OLD", min=1, help="The older version.")],
    new: Annotated[int, typer.Argument(metavar="NEW", min=1, help="The newer version.")],
    json: Json = False,
) -> None:
    """Show what changed from one version to another."""
    _run("diff", module="history", act="diff", runbook_id=runbook_id, numbers=(old, new), as_json=json)


@app.command(epilog="Example:  sre-kb restore kube-pod-crash-looping 1")
def restore(
    runbook_id: RunbookId,
    number: Annotated[int, typer.Argument(metavar="VERSION", min=1, help="The version to write again.")],
    json: Json = False,
) -> None:
    """Make an earlier version the newest again; brings a deleted runbook back."""
    _run("restore", module="history", act="restore", runbook_id=runbook_id, numbers=(number,), as_json=json)


@app.command(epilog="Example:  sre-kb publish kube-pod-crash-looping")
def publish(runbook_id: RunbookId, json: Json = False) -> None:
    """Publish a runbook's text as it is now: a person has read it."""
    _run("publish", module="history", act="publish", runbook_id=runbook_id, as_json=json)


@app.command(epilog="Example:  sre-kb reviewed kube-pod-crash-looping")
def reviewed(runbook_id: RunbookId, json: Json = False) -> None:
    """Write into a runbook's file that its text was read today and still holds."""
    _run("reviewed", module="history", act="reviewed", runbook_id=runbook_id, as_json=json)


@app.command(epilog="Example:  sre-kb pin KubePodCrashLooping kube-pod-crash-looping")
def pin(
    alertname: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's name, to the letter.")],
    runbook_id: RunbookId,
    json: Json = False,
) -> None:
    """Make a runbook the first answer for an alert."""
    _run("pin", module="pins", act="pin", alertname=alertname, runbook_id=runbook_id, as_json=json)


@app.command(epilog="Example:  sre-kb unpin KubePodCrashLooping")
def unpin(
    alertname: Annotated[str, typer.Argument(metavar="ALERT", help="The alert's name, to the letter.")],
    json: Json = False,
) -> None:
    """Remove an alert's pin."""
    _run("unpin", module="pins", act="unpin", alertname=alertname, as_json=json)


@app.command(epilog="Example:  sre-kb pins")
def pins(json: Json = False) -> None:
    """List pins."""
    _run("pins", act="pins", as_json=json)


@app.command(epilog="Example:  sre-kb version")
def version(json: Json = False) -> None:
    """Print the version."""
    _run("version", as_json=json)


app.add_typer(cli_learning.app)


def main() -> None:
    """The `sre-kb` command. Answers go to standard output, everything else to standard error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s: %(message)s")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what `arguments` say; the exit code. Never raises."""
    try:
        app(arguments)
        return 0
    except SystemExit as exc:  # how typer ends, also after wrong usage
        return exc.code if isinstance(exc.code, int) else 0
    except KBError as exc:
        _complain(exc.message, exc.advice)
        return exit_code_of(exc)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception:
        logging.getLogger("sre_kb.cli").exception("unexpected error")
        _complain("The command met an error that nobody foresaw; the lines above say where.", "Please report them.")
        return EXIT_BUG


def exit_code_of(error: KBError) -> int:
    """The exit code that tells a script what kind of failure this is."""
    if isinstance(error, InvalidInput):
        return EXIT_USAGE
    return EXIT_UNAVAILABLE if isinstance(error, _UNAVAILABLE) else EXIT_REFUSED


def _complain(message: str, advice: str) -> None:
    typer.echo(f"Error: {message}" + (f"\n{advice}" if advice else ""), err=True)
