"""The command-line tool `alerts`. Every command imports what it needs only when it runs."""

import os
import sys

import typer

from alerts_cli import bank, clicks, database, deliveries, devices, environment, jobs, records
from alerts_cli import inbox as gateways
from alerts_cli import queue as queue_commands
from alerts_cli import rules as adhoc
from alerts_cli.options import VARIABLE, ConfigOption
from alerts_cli.topics import topics_app

app = typer.Typer(
    help="Account Alerts: start the environment, feed it, look at it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(environment.app)
app.add_typer(jobs.app)
app.add_typer(topics_app, name="topics")
# The commands that work on records stand beside those that work on the environment.
app.registered_commands += records.app.registered_commands
app.registered_groups += records.app.registered_groups
app.add_typer(adhoc.app, name="rules")
app.add_typer(bank.app, name="bank")
app.add_typer(queue_commands.app, name="queue")
app.add_typer(database.app, name="database")
app.command(epilog="Example: alerts inbox mail")(gateways.inbox)
app.add_typer(gateways.mailbox_app, name="mailbox")
app.add_typer(devices.app, name="devices")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(clicks.app, name="clicks")
app.command(epilog="Example: alerts sql sql/queries/bookings_by_type.sql")(adhoc.sql)


@app.callback()
def choose_environment(context: typer.Context, config: ConfigOption = None) -> None:
    """Account Alerts: start the environment, feed it, look at it."""
    if config is not None:
        # Commands find it there, whether they take the option themselves or not.
        os.environ[VARIABLE] = str(config)
    context.obj = config


def main() -> None:
    """Run the tool; what the user can mend is said in a line, without a stack trace."""
    from account_alerts.model.errors import AlertsError

    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except AlertsError as error:
        typer.echo(f"alerts: {error}", err=True)
        sys.exit(1)
