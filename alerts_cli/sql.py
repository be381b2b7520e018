"""`alerts sql`: Flink's SQL client on the cluster."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, load_config

app = App()


@app.command(epilog="Example: alerts sql sql/queries/bookings_by_type.sql")
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

    raise typer.Exit(sql_shell.start(load_config(), file, live=live))
