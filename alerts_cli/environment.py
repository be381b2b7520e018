"""TODO."""

import json
from typing import Annotated

import typer

from alerts_cli.options import ConfigOption

app = typer.Typer()


@app.command(epilog="Example: alerts up --fresh")
def up(
    config: ConfigOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget all state first.")] = False,
    no_jobs: Annotated[bool, typer.Option("--no-jobs", help="Broker, topics and cluster only.")] = False,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="The two ends too: the bank's database and queue, senders, gateways."),
    ] = False,
) -> None:
    """Start the local environment, or go on where it was stopped; returns when it is ready."""
    from account_alerts.config import load
    from devenv import environment

    settings = load(config)
    environment.up(settings, fresh=fresh, jobs=not no_jobs, whole=whole)
    typer.echo(f"Ready. Kafka: {settings.kafka.bootstrap_servers}, Flink's page: {settings.flink.rest_url}")


@app.command(epilog="Example: alerts down")
def down(config: ConfigOption = None) -> None:
    """Stop everything that `alerts up` started, and only that; the state stays."""
    from account_alerts.config import load
    from devenv import environment

    count = environment.down(load(config))
    typer.echo(f"Stopped {count} processes." if count else "Nothing was running.")


@app.command(epilog="Example: alerts status --json")
def status(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what runs, where its page is, lag, checkpoints and restarts; exit status 1 unless all runs."""
    from account_alerts.config import load
    from operations import status as report

    found = report.collect(load(config))
    typer.echo(json.dumps(found, indent=2) if as_json else report.text(found))
    if not found["healthy"]:
        raise typer.Exit(1)
