"""`alerts database`: the tables of the two databases."""

from typing import Annotated, Literal

import typer

from alerts_cli.options import App, load_config

app = App(help="The tables of the two databases: the bank's, and the senders' own.")


@app.command(epilog="Example: alerts database migrate bank --config conf/production.yaml")
def migrate(
    which: Annotated[Literal["bank", "delivery"], typer.Argument(help="Whose tables.")],
) -> None:
    """Bring a database's tables up to date; does nothing where they are."""
    from operations import migrations

    config = load_config()
    target = config.require("bank") if which == "bank" else config.require("delivery")
    applied = migrations.migrate(target, migrations.FOLDER / which)
    typer.echo("\n".join(applied) if applied else "All is up to date.")
