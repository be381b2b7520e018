"""The command-line tool `alerts`. Every command imports what it needs only when it runs."""

import sys

import typer

from alerts_cli import (
    authorizations,
    bank,
    clicks,
    database,
    dead_letters,
    deliveries,
    demo,
    devices,
    environment,
    erase,
    inbox,
    jobs,
    mailbox,
    phone,
    queue,
    records,
    rules,
    settings,
    sql,
    topics,
)
from alerts_cli.options import App, ConfigOption, choose_config

_WHERE = {
    "jobs": "this image has no Flink client: run it in the analyst-tools image",
    "pyflink": "this image has no Flink client: run it in the analyst-tools image",
    "devenv": "this image has no local environment: run it in a checkout",
    "demo": "this image has no local environment: run it in a checkout",
    "delivery": "this image has no services: run it in the services image",
    "ingest": "this image has no services: run it in the services image",
    "proton": "this image has no services: run it in the services image",
    "psycopg": "this image has no services: run it in the services image",
}
"""Packages that an image may leave out, and where the commands run that need them."""

app = App(
    help="Account Alerts: start the environment, feed it, look at it.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for commands in (environment, jobs, records, inbox, sql, erase, demo):
    app.add_typer(commands.app)
app.add_typer(topics.app, name="topics")
app.add_typer(settings.app, name="settings")
app.add_typer(authorizations.app, name="authorizations")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(rules.app, name="rules")
app.add_typer(bank.app, name="bank")
app.add_typer(queue.app, name="queue")
app.add_typer(database.app, name="database")
app.add_typer(mailbox.app, name="mailbox")
app.add_typer(phone.app, name="phone")
app.add_typer(devices.app, name="devices")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(clicks.app, name="clicks")


@app.callback()
def choose_environment(config: ConfigOption = None) -> None:
    """Account Alerts: start the environment, feed it, look at it."""
    choose_config(config)


def main() -> None:
    """Run the tool; what the user can correct is said in a line, without a stack trace."""
    from account_alerts.model.errors import AlertsError

    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except AlertsError as error:
        typer.echo(f"alerts: {error}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if error.name not in _WHERE:
            raise
        typer.echo(f"alerts: {_WHERE[error.name]}", err=True)
        sys.exit(1)
