"""Commands that work on records: replay, tail, settings, authorizations, dead-letters, demo.

Everything but Typer is imported by the command that needs it, so that `alerts --help` comes at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from alerts_cli.customers import authorizations_app, settings_app
from alerts_cli.dead_letters import dead_letters_app
from alerts_cli.options import JsonFlag, _config, _print_json

if TYPE_CHECKING:
    from operations.replay import Progress

app = typer.Typer(no_args_is_help=True)
app.add_typer(settings_app, name="settings")
app.add_typer(authorizations_app, name="authorizations")
app.add_typer(dead_letters_app, name="dead-letters")


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r}: a number of bookings per second, or max", param_hint="--speed")
    return speed


@app.command(epilog="Example: alerts replay data/transactions.csv.gz --speed 200")
def replay(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV or JSON lines, may be gzipped. Default: the sample."
        ),
    ] = None,
    speed: Annotated[str, typer.Option(help="Bookings per second, or max.")] = "100",
    limit: Annotated[int | None, typer.Option(min=1, help="No more bookings than this.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write bookings to Kafka as if they happened now."""
    from operations import replay as tool

    def show(progress: "Progress") -> None:
        if as_json:
            _print_json({**vars(progress), "rate": round(progress.rate, 1)})
        else:
            typer.echo(f"{progress.sent} of {progress.total} bookings, {progress.rate:.0f}/s")

    tool.replay(_config(), file, _speed(speed), limit=limit, on_progress=show)


@app.command(epilog="Example: alerts tail email")
def tail(
    channel: Annotated[Literal["email", "sms", "push", "all"], typer.Argument(help="Whose alerts.")] = "all",
    from_beginning: Annotated[bool, typer.Option(help="Those that are there already, too.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show alerts as they come: when, channel, milliseconds since the booking, what the customer reads."""
    from operations import tail as tool

    def warn(text: str) -> None:
        typer.echo(f"not an alert: {text}", err=True)

    try:
        for arrival in tool.tail(_config(), channel, from_beginning=from_beginning, on_broken=warn):
            if as_json:
                _print_json(arrival.as_dict())
            else:
                typer.echo(arrival.line())
    except KeyboardInterrupt:
        raise typer.Exit from None


@app.command(epilog="Example: alerts demo --keep")
def demo(
    keep: Annotated[bool, typer.Option("--keep", envvar="KEEP", help="Leave it running at the end.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Start everything on throw-away state, replay real bookings, show the alerts, stop everything."""
    import demo as tool

    raise typer.Exit(tool.run(_config(), keep=keep, as_json=as_json))
