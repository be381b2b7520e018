"""Commands that work on the bank's database: alerts bank ..."""

import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The bank's database: customers, access, preferences, bookings.")


@app.command(epilog="Example: alerts bank load --sample")
def load(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, help="JSON: AlertSettings and AccountAuthorization records."
        ),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="The customers of the sample data.")] = False,
) -> None:
    """Make customers and access rights what a file says; what is not in it stays."""
    from account_alerts.config import load as configured
    from devenv.bank import customers, database
    from operations import booking_files

    if sample == (file is not None):
        raise typer.BadParameter("give a file, or --sample")
    if file is not None:
        records = database.read(file)
    else:
        may_see = customers.authorizations()
        records = [*may_see, *customers.settings(booking_files.read(), may_see)]
    loaded, accounts = database.load(configured(), records)
    typer.echo(f"{loaded} customers, access to {accounts} accounts.")


@app.command(epilog="Example: alerts bank show 1787")
def show(customer: Annotated[str, typer.Argument(help="The customer_id.")]) -> None:
    """Print a customer's record as it is published, and which accounts he may see."""
    from account_alerts.config import load as configured
    from devenv.bank import database

    record = database.show(configured(), customer)
    if record is None:
        typer.echo(f"There is no customer {customer}.", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(record, indent=2, ensure_ascii=False))


@app.command(
    epilog="Example: alerts bank sql \"UPDATE customers SET digest = 'DAILY' WHERE customer_id = '1787'\""
)
def sql(
    statements: Annotated[str, typer.Argument(help="One, or several with semicolons: one transaction.")],
    user: Annotated[
        str | None, typer.Option("--user", help="Who changes it, for the history (default: you).")
    ] = None,
) -> None:
    """Run SQL in the bank's database, in one transaction; prints rows with tabs between the columns."""
    from account_alerts.config import load as configured
    from devenv.bank import database

    for row in database.run(configured(), statements, user or getpass.getuser()):
        typer.echo("\t".join("" if value is None else str(value) for value in row))
