"""`alerts demo`: the whole chain on throw-away state."""

from typing import Annotated

import typer

from alerts_cli.options import App, JsonFlag, load_config

app = App()


@app.command(epilog="Example: alerts demo --keep")
def demo(
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Leave it running at the end.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start everything on throw-away state, replay real bookings, show the alerts, stop everything."""
    import demo as tool

    raise typer.Exit(tool.run(load_config(), keep=keep, as_json=as_json))
