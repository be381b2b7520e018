"""`alerts bank`: the bank's database."""

import getpass
from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, load_config, print_json

app = App(help="The bank's database: customers, access, preferences, bookings.")


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
    from devenv.bank import customers, database
    from operations import booking_files

    if sample == (file is not None):
        raise typer.BadParameter("give a file, or --sample")
    if file is not None:
        records = database.read(file)
    else:
        may_see = customers.authorizations()
        records = [*may_see, *customers.settings(booking_files.read(), may_see)]
    loaded, accounts = database.load(load_config(), records)
    typer.echo(f"{loaded} customers, access to {accounts} accounts.")


@app.command(epilog="Example: alerts bank show 1787")
def show(customer: Annotated[str, typer.Argument(help="The customer_id.")]) -> None:
    """Print a customer's record as it is published, and which accounts they may see."""
    from devenv.bank import database

    record = database.show(load_config(), customer)
    if record is None:
        typer.echo(f"There is no customer {customer}.", err=True)
        raise typer.Exit(1)
    print_json(record, indent=2)


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
    from devenv.bank import database

    for row in database.run(load_config(), statements, user or getpass.getuser()):
        typer.echo("\t".join("" if value is None else str(value) for value in row))
