"""Commands that work on records: replay, tail, settings, authorizations, dead-letters, demo.

Everything but Typer is imported by the command that needs it, so that `alerts --help` comes at once.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from account_alerts.config import Config
    from account_alerts.replay import Progress
    from account_alerts.settings_tool import Kind

app = typer.Typer(no_args_is_help=True)
settings_app = typer.Typer(no_args_is_help=True, help="Look at and change what customers asked for.")
authorizations_app = typer.Typer(no_args_is_help=True, help="Look at and change who may see an account.")
dead_letters_app = typer.Typer(no_args_is_help=True, help="Look at records no job could use; put them back.")
app.add_typer(settings_app, name="settings")
app.add_typer(authorizations_app, name="authorizations")
app.add_typer(dead_letters_app, name="dead-letters")

JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable: JSON, one object a line.")]
JsonFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON: one record, or an array.")]


def _config() -> "Config":
    # The main command has put its --config where this looks.
    from account_alerts.config import load

    return load()


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r}: a number of bookings per second, or max", param_hint="--speed")
    return speed


@app.command(epilog="Example: alerts replay data/transactions.csv.gz --speed 200")
def replay(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV or JSON lines, may be gzipped. Default: the sample."
        ),
    ] = None,
    speed: Annotated[str, typer.Option(help="Bookings per second, or max.")] = "100",
    limit: Annotated[int | None, typer.Option(min=1, help="No more bookings than this.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write bookings to Kafka as if they happened now."""
    from account_alerts import replay as tool

    def show(progress: "Progress") -> None:
        if as_json:
            _print_json({**vars(progress), "rate": round(progress.rate, 1)})
        else:
            typer.echo(f"{progress.sent} of {progress.total} bookings, {progress.rate:.0f}/s")

    tool.replay(_config(), file, _speed(speed), limit=limit, on_progress=show)


@app.command(epilog="Example: alerts tail email")
def tail(
    channel: Annotated[Literal["email", "sms", "push", "all"], typer.Argument(help="Whose alerts.")] = "all",
    from_beginning: Annotated[bool, typer.Option(help="Those that are there already, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show alerts as they come: when, channel, milliseconds since the booking, what the customer reads."""
    from account_alerts import tail as tool

    def warn(text: str) -> None:
        typer.echo(f"not an alert: {text}", err=True)

    try:
        for arrival in tool.tail(_config(), channel, from_beginning=from_beginning, on_broken=warn):
            if as_json:
                _print_json(arrival.as_dict())
            else:
                typer.echo(arrival.line())
    except KeyboardInterrupt:
        raise typer.Exit from None


def _put(file: Path, kind: "Callable[[], Kind]", as_json: bool) -> None:
    from account_alerts import settings_tool

    keys = settings_tool.put(_config(), file, kind())
    if as_json:
        _print_json({"written": keys})
    else:
        typer.echo(f"{len(keys)} written: {', '.join(keys[:10])}{' …' if len(keys) > 10 else ''}")


def _get(key: str, kind: "Callable[[], Kind]") -> None:
    from account_alerts import settings_tool

    record = settings_tool.get(_config(), key, kind())
    if record is None:
        raise settings_tool.NothingThereError(f"there is nothing for {key!r}")
    typer.echo(json.dumps(record, ensure_ascii=False, indent=2))


def _delete(key: str, kind: "Callable[[], Kind]") -> None:
    from account_alerts import settings_tool

    settings_tool.delete(_config(), key, kind())


def _settings() -> "Kind":
    from account_alerts.settings_tool import SETTINGS

    return SETTINGS


def _authorizations() -> "Kind":
    from account_alerts.settings_tool import AUTHORIZATIONS

    return AUTHORIZATIONS


@settings_app.command("put", epilog="Example: alerts settings put customers.json")
def settings_put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write customers' settings; each replaces what the customer had."""
    _put(file, _settings, as_json)


@settings_app.command("get", epilog="Example: alerts settings get 2 > customer.json")
def settings_get(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Show a customer's settings as JSON."""
    _get(customer_id, _settings)


@settings_app.command("delete", epilog="Example: alerts settings delete 2")
def settings_delete(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: the customer left."""
    _delete(customer_id, _settings)


@authorizations_app.command("put", epilog="Example: alerts authorizations put accounts.json")
def authorizations_put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write who may see accounts; each replaces what was said of the account."""
    _put(file, _authorizations, as_json)


@authorizations_app.command("get", epilog="Example: alerts authorizations get 2")
def authorizations_get(account_id: Annotated[str, typer.Argument()]) -> None:
    """Show who may see an account as JSON."""
    _get(account_id, _authorizations)


@authorizations_app.command("delete", epilog="Example: alerts authorizations delete 2")
def authorizations_delete(account_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: nobody may see the account any more."""
    _delete(account_id, _authorizations)


@dead_letters_app.command("list", epilog="Example: alerts dead-letters list --json > letters.jsonl")
def dead_letters_list(as_json: JsonFlag = False) -> None:
    """Show dead letters: id, where each came from, its size, the reason. With --json also key and content."""
    from account_alerts import dead_letters

    config = _config()
    records = dead_letters.Records(config)
    for letter in dead_letters.read(config):
        if as_json:
            _print_json(dead_letters.as_dict(letter, records))
        else:
            typer.echo(letter.line())


@dead_letters_app.command(
    "replay",
    epilog="Example: alerts dead-letters replay 0:12, or alerts dead-letters replay --file repaired.jsonl",
)
def dead_letters_replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as list shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Repaired lines of `list --json` instead."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Put dead letters back on the topics they came from."""
    from account_alerts import dead_letters

    if sum((bool(ids), everything, file is not None)) != 1:
        raise typer.BadParameter("give ids, --all or --file, and only one of them")
    config = _config()
    if file is None:
        count = dead_letters.replay(config, None if everything else ids)
    else:
        count = dead_letters.replay_file(config, file)
    if as_json:
        _print_json({"written": count})
    else:
        typer.echo(f"{count} put back")


@app.command(epilog="Example: alerts demo --keep")
def demo(
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Leave it running at the end.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start everything on throw-away state, replay real bookings, show the alerts, stop everything."""
    from account_alerts import demo as tool

    raise typer.Exit(tool.run(_config(), keep=keep, as_json=as_json))
