"""The command-line tool `alerts`. Every command imports what it needs only when it runs."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from account_alerts import (
    bank_commands,
    clicks_commands,
    commands,
    database_commands,
    device_commands,
    queue_commands,
)
from account_alerts.adhoc import commands as adhoc
from account_alerts.local.gateways import commands as gateways
from senders import commands as deliveries

VARIABLE = "ALERTS_CONFIG"
_NAMED = "alert-rules, alerting, adhoc-alerts, device-resolver, reminders"

app = typer.Typer(
    help="Account Alerts: start the environment, feed it, look at it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
topics_app = typer.Typer(help="The topics of the data contract.", no_args_is_help=True)
app.add_typer(topics_app, name="topics")
# The commands that work on records stand beside those that work on the environment.
app.registered_commands += commands.app.registered_commands
app.registered_groups += commands.app.registered_groups
app.add_typer(adhoc.app, name="rules")
app.add_typer(bank_commands.app, name="bank")
app.add_typer(queue_commands.app, name="queue")
app.add_typer(database_commands.app, name="database")
app.command(epilog="Example: alerts inbox mail")(gateways.inbox)
app.add_typer(gateways.mailbox_app, name="mailbox")
app.add_typer(device_commands.app, name="devices")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(clicks_commands.app, name="clicks")
app.command(epilog="Example: alerts sql sql/questions/bookings_by_type.sql")(adhoc.sql)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The environment's YAML file (default: conf/local.yaml).",
        envvar=VARIABLE,
        show_default=False,
    ),
]


@app.callback()
def choose_environment(context: typer.Context, config: ConfigOption = None) -> None:
    """Account Alerts: start the environment, feed it, look at it."""
    if config is not None:
        # Commands find it there, whether they take the option themselves or not.
        os.environ[VARIABLE] = str(config)
    context.obj = config


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
    from account_alerts import local
    from account_alerts.config import load

    settings = load(config)
    local.up(settings, fresh=fresh, jobs=not no_jobs, whole=whole)
    typer.echo(f"Ready. Kafka: {settings.kafka.bootstrap_servers}, Flink's page: {settings.flink.rest_url}")


@app.command(epilog="Example: alerts down")
def down(config: ConfigOption = None) -> None:
    """Stop everything that `alerts up` started, and only that; the state stays."""
    from account_alerts import local
    from account_alerts.config import load

    count = local.down(load(config))
    typer.echo(f"Stopped {count} processes." if count else "Nothing was running.")


@app.command(epilog="Example: alerts status --json")
def status(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what runs, where its page is, lag, checkpoints and restarts; exit status 1 unless all runs."""
    from account_alerts.config import load
    from account_alerts.local import status as report

    found = report.collect(load(config))
    typer.echo(json.dumps(found, indent=2) if as_json else report.text(found))
    if not found["healthy"]:
        raise typer.Exit(1)


@app.command(epilog="Example: alerts submit all")
def submit(
    job: Annotated[
        str,
        typer.Argument(help=f"{_NAMED}, or all (the first two)."),
    ],
    config: ConfigOption = None,
    from_nothing: Annotated[
        bool, typer.Option("--from-nothing", help="Do not go on from the newest checkpoint.")
    ] = False,
) -> None:
    """Submit jobs to the cluster; returns when they run.

    In the local environment each goes on from its newest retained checkpoint. Elsewhere that is not known:
    begin with --from-nothing, later name a savepoint to Flink's own client (docs/operations.md).
    """
    from account_alerts.config import load
    from account_alerts.local import submit as submitting

    submitting.submit(load(config), submitting.names(job), resume=not from_nothing)


@app.command(epilog="Example: alerts upgrade alerting --code ../new-version")
def upgrade(
    job: Annotated[str, typer.Argument(help=f"{_NAMED}.")],
    config: ConfigOption = None,
    code: Annotated[
        Path | None,
        typer.Option("--code", help="A clone of the project with the other version (default: this one)."),
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option("--drop", help="An operator whose state may be lost; repeatable.")
    ] = None,
) -> None:
    """Replace a running job by another version, from a savepoint; goes back if that is not healthy."""
    from account_alerts.config import PROJECT, load
    from account_alerts.local import submit as submitting
    from account_alerts.local import upgrade as upgrading

    upgrading.upgrade(load(config), submitting.one(job), (code or PROJECT).resolve(), drop or [])


@app.command(epilog="Example: alerts rollback alerting")
def rollback(
    job: Annotated[str, typer.Argument(help=f"{_NAMED}.")],
    config: ConfigOption = None,
) -> None:
    """Replace a running job by the version that ran before its last upgrade."""
    from account_alerts.config import load
    from account_alerts.local import submit as submitting
    from account_alerts.local import upgrade as upgrading

    upgrading.rollback(load(config), submitting.one(job))


@topics_app.command("create", epilog="Example: alerts topics create --config conf/production.yaml")
def topics_create(config: ConfigOption = None) -> None:
    """Create the topics that are missing, as the configuration describes them."""
    from account_alerts import topics
    from account_alerts.config import load

    created = topics.create(load(config))
    typer.echo("\n".join(created) if created else "All topics are there.")


@app.command(
    "flink-config", epilog="Example: alerts flink-config --config conf/production.yaml > config.yaml"
)
def flink_config(
    config: ConfigOption = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Write it there, with the logging's, instead of printing.")
    ] = None,
) -> None:
    """Print Flink's config.yaml for a cluster that runs the jobs elsewhere."""
    import yaml

    from account_alerts.config import load
    from account_alerts.local import flink_conf

    options = flink_conf.client_options(load(config))
    if folder is not None:
        flink_conf.write(folder, options, console=True)
    else:
        typer.echo(yaml.safe_dump(options, width=10_000), nl=False)


def main() -> None:
    """Run the tool; what the user can mend is said in a line, without a stack trace."""
    from account_alerts.config import ConfigError

    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Each module has errors of its own, made to be read.
        own = type(error).__module__.startswith(("account_alerts.", "inbound.", "senders."))
        if own or isinstance(error, ConfigError):
            typer.echo(f"alerts: {error}", err=True)
            sys.exit(1)
        raise
