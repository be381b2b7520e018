"""Commands that work on the databases themselves."""

from typing import Annotated, Literal

import typer

app = typer.Typer(
    no_args_is_help=True, help="The tables of the two databases: the bank's, and the senders' own."
)


@app.callback()
def _group() -> None:
    """Keep `migrate` a command of its own, though it is the only one."""


@app.command(epilog="Example: alerts database migrate bank --config conf/production.yaml")
def migrate(
    which: Annotated[Literal["bank", "delivery"], typer.Argument(help="Whose tables.")],
) -> None:
    """Bring a database's tables up to date; does nothing where they are."""
    from account_alerts import postgres
    from account_alerts.config import load
    from operations import migrations

    config = load()
    target = postgres.bank(config) if which == "bank" else postgres.delivery(config)
    applied = migrations.migrate(target, migrations.FOLDER / which)
    typer.echo("\n".join(applied) if applied else "All is up to date.")
