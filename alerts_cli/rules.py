"""`alerts rules`: analysts' rules."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerts_cli.options import App, JsonFlag, job_runner, load_config, parse_time, print_json

if TYPE_CHECKING:
    from account_alerts.model.analyst_rule import Rule

app = App(
    help="Analysts' rules: a SELECT over the bookings in a file, run as a job of its own.",
)
NameOrFile = Annotated[str, typer.Argument(help="A rule of sql/shipped_rules, or a file NAME.sql.")]
Name = Annotated[str, typer.Argument(help="The rule's name.")]


def _rule(name: str) -> tuple["Rule", Path]:
    from account_alerts.model import analyst_rule
    from operations.analyst_rules import files

    file = files.find(name)
    return analyst_rule.read(file), file


@app.command("list", epilog="Example: alerts rules list")
def list_rules(as_json: JsonFlag = False) -> None:
    """Show all rules: whether each runs or its limit paused it, how many alerts are quarantined."""
    from account_alerts.model import analyst_rule
    from operations.analyst_rules import files, report
    from operations.tables import print_table

    rules = [analyst_rule.read(file) for file in files.shipped()]
    lines = report.report(load_config(), rules, lambda text: typer.echo(text, err=True))
    if as_json:
        print_json(lines, indent=2)
        return
    columns = ("RULE", "STATE", ">QUARANTINED", ">LIMIT/MIN", "ABOUT")
    keys = ("name", "state", "quarantined", "per_minute", "about")
    print_table(columns, ([line[key] for key in keys] for line in lines))


@app.command(epilog="Example: alerts rules show salary_arrived")
def show(name: NameOrFile) -> None:
    """Show a rule: its SQL as it was started, or as it stands in its file."""
    from operations.analyst_rules import registry

    started = registry.read(load_config()).started.get(Path(name).stem)
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
    columns = check.check(load_config(), rule, str(file))
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
    start, end = parse_time(from_, "--from"), parse_time(to, "--to")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter(f"{to} is not after {from_}", param_hint="--to")
    result = tool.run(load_config(), rule, str(place), start, end, file)
    if as_json:
        print_json(result.as_dict(), indent=2)
    else:
        typer.echo(result.text())


@app.command(epilog="Example: alerts rules start salary_arrived")
def start(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Rules of sql/shipped_rules, or files NAME.sql.")
    ],
) -> None:
    """Compile rules and start each as a job of its own; bookings from now on raise its alerts."""
    from operations.analyst_rules import check, lifecycle, requests

    config = load_config()
    found = [_rule(name) for name in names]
    rules = [rule for rule, _ in found]
    requests.require_agreement(config, rules)
    for rule, file in found:
        check.check(config, rule, str(file))
    since = lifecycle.start(job_runner(), rules)
    for rule in rules:
        typer.echo(
            f"{rule.name}: started; bookings since {_time(since)} raise alerts. See: alerts rules list"
        )


@app.command(epilog="Example: alerts rules stop salary_arrived")
def stop(name: Name) -> None:
    """Stop a rule's job. Its state is lost; quarantined alerts stay quarantined."""
    from operations.analyst_rules import lifecycle

    lifecycle.stop(job_runner(), name)


@app.command(epilog="Example: alerts rules resume salary_arrived")
def resume(name: Name) -> None:
    """Send a rule's quarantined alerts, and let the rule go on."""
    from operations.analyst_rules import lifecycle

    typer.echo(f"{name}: {lifecycle.resume(job_runner(), name)} alerts sent; it goes on")


@app.command(epilog="Example: alerts rules discard salary_arrived")
def discard(name: Name) -> None:
    """Discard a rule's quarantined alerts, and let the rule go on."""
    from operations.analyst_rules import lifecycle

    count = lifecycle.discard(job_runner(), name)
    typer.echo(f"{name}: {count} alerts discarded; it goes on from now")


@app.command(epilog="Example: alerts rules guard --config conf/production.yaml")
def guard() -> None:
    """Pause rules that are over their limit, and do what analysts ask for on their page, until Ctrl-C.

    In the local environment the reconciler does it; on any other cluster let this run somewhere.
    """
    from threading import Thread

    from account_alerts.service.process import configure_logging
    from operations.analyst_rules import guard as watcher
    from operations.analyst_rules import worker

    configure_logging()
    runner = job_runner()
    if runner.config.bank is not None:
        Thread(target=worker.watch, args=(runner.config,), daemon=True).start()
    watcher.watch(runner)


def _time(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
