"""`alerts rules ...` and `alerts sql`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from account_alerts.config import Config
    from account_alerts.model.analyst_rule import Rule

app = typer.Typer(
    no_args_is_help=True,
    help="Analysts' rules: a SELECT over the bookings in a file, run as a job of its own.",
)
NameOrFile = Annotated[str, typer.Argument(help="A rule of sql/adhoc by its name, or a file NAME.sql.")]
Name = Annotated[str, typer.Argument(help="The rule's name.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable: JSON.")]


def _config() -> "Config":
    # The main command has put its --config where this looks.
    from account_alerts.config import load

    return load()


def _rule(name: str) -> tuple["Rule", Path]:
    from account_alerts.model import analyst_rule
    from operations.analyst_rules import files

    file = files.find(name)
    return analyst_rule.read(file), file


@app.command("list", epilog="Example: alerts rules list")
def list_rules(as_json: JsonFlag = False) -> None:
    """Show the rules there are: which run, which are stopped by their limit, how many alerts are held."""
    from account_alerts.model import analyst_rule
    from operations.analyst_rules import files, lifecycle

    rules = [analyst_rule.read(file) for file in files.shipped()]
    lines = lifecycle.report(_config(), rules, lambda text: typer.echo(text, err=True))
    if as_json:
        typer.echo(json.dumps(lines, indent=2, ensure_ascii=False))
        return
    for line in lines:
        limit = f"limit {line['per_minute']}/min" if line["per_minute"] else ""
        held = f", {line['held']} alerts held" if line["held"] else ""
        typer.echo(f"{line['name']:<24} {line['state']}{held}  {limit}  {line['about']}")


@app.command(epilog="Example: alerts rules show salary_arrived")
def show(name: NameOrFile) -> None:
    """Show a rule: its SQL as it was started, or as it stands in its file."""
    from operations.analyst_rules import registry

    started = registry.read(_config()).started.get(Path(name).stem)
    if started is None:
        rule, file = _rule(name)
        typer.echo(f"{file} (not started)\n\n{rule.sql}")
    else:
        typer.echo(f"{started.name}: started {_time(started.since)}\n\n{started.sql}")


@app.command(epilog="Example: alerts rules test salary_arrived")
def test(name: NameOrFile) -> None:
    """Compile a rule and say what is wrong with it, in words and with the line."""
    from operations.analyst_rules import check

    rule, file = _rule(name)
    columns = check.check(_config(), rule, str(file))
    extra = [each for each in ("customer_id", "threshold_minor") if each in columns]
    channels = ", ".join(rule.channels) or "all that a customer has"
    typer.echo(f"{rule.name}: can run. {rule.about}")
    typer.echo(f"  at most {rule.per_minute} alerts a minute; channels: {channels}")
    typer.echo(f"  its own columns: {', '.join(extra) or 'none'}")
    typer.echo(f"Try it on what has been: alerts rules back-test {name}")


@app.command(
    "back-test", epilog="Example: alerts rules back-test salary_arrived --from 2026-11-01 --to 2026-11-08"
)
def back_test(
    name: NameOrFile,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="Bookings from then on: a day, or a time such as 2026-11-01T12:00 (UTC)."
        ),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Bookings before then.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Bookings of a file (as for `alerts replay`) instead of Kafka's.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Say how many customers would have got how many alerts, per day; nobody is sent anything."""
    from operations.analyst_rules import back_test as tool

    rule, place = _rule(name)
    start, end = _when(from_, "--from"), _when(to, "--to")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter(f"{to} is not after {from_}", param_hint="--to")
    result = tool.run(_config(), rule, str(place), start, end, file)
    typer.echo(json.dumps(result.as_dict(), indent=2, ensure_ascii=False) if as_json else result.text())


@app.command(epilog="Example: alerts rules start salary_arrived")
def start(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Rules of sql/adhoc, or files NAME.sql.")
    ],
) -> None:
    """Compile rules and start each as a job of its own; bookings from now on raise its alerts."""
    from operations.analyst_rules import check, lifecycle

    config = _config()
    rules = []
    for name in names:
        rule, file = _rule(name)
        check.check(config, rule, str(file))
        rules.append(rule)
    since = lifecycle.start(config, rules)
    for rule in rules:
        typer.echo(
            f"{rule.name}: started; bookings since {_time(since)} raise alerts. See: alerts rules list"
        )


@app.command(epilog="Example: alerts rules stop salary_arrived")
def stop(name: Name) -> None:
    """Stop a rule's job. What it knows is forgotten; alerts that are held stay held."""
    from operations.analyst_rules import lifecycle

    lifecycle.stop(_config(), name)


@app.command(epilog="Example: alerts rules release salary_arrived")
def release(name: Name) -> None:
    """Send the alerts that a rule's limit held back, and let the rule go on."""
    from operations.analyst_rules import lifecycle

    typer.echo(f"{name}: {lifecycle.decide(_config(), name, release=True)} alerts sent; it goes on")


@app.command(epilog="Example: alerts rules drop salary_arrived")
def drop(name: Name) -> None:
    """Give up the alerts that a rule's limit held back, and let the rule go on."""
    from operations.analyst_rules import lifecycle

    typer.echo(
        f"{name}: {lifecycle.decide(_config(), name, release=False)} alerts dropped; it goes on from now"
    )


@app.command(epilog="Example: alerts rules guard --config conf/production.yaml")
def guard() -> None:
    """Watch for rules that are over their limit and end their jobs, until Ctrl-C.

    In the local environment the keeper does it; on any other cluster let this run somewhere.
    """
    import logging

    from operations.analyst_rules import guard as watcher

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    watcher.watch(_config())


def sql(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="Statements to run, instead of asking for them."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Go on with what comes, until Ctrl-C; else a query ends.")
    ] = False,
) -> None:
    """Open Flink's SQL client on the cluster; bookings, customers, addresses, authorizations, settings are
    views."""
    from operations import sql_shell

    raise typer.Exit(sql_shell.start(_config(), file, live=live))


def _when(text: str | None, option: str) -> int | None:
    """A day or a time as milliseconds UTC."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: write 2026-11-01, or 2026-11-01T12:00", param_hint=option
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)


def _time(milliseconds: Any) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
