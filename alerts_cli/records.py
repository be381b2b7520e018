"""`alerts replay` and `alerts tail`: bookings in, alerts out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

if TYPE_CHECKING:
    from operations.replay import Progress

app = App()


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
            print_json({**vars(progress), "rate": round(progress.rate, 1)})
        else:
            typer.echo(f"{progress.sent} of {progress.total} bookings, {progress.rate:.0f}/s")

    tool.replay(load_config(), file, _speed(speed), limit=limit, on_progress=show)


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
        for arrival in tool.tail(load_config(), channel, from_beginning=from_beginning, on_broken=warn):
            if as_json:
                print_json(arrival.as_dict())
            else:
                typer.echo(arrival.line())
    except KeyboardInterrupt:
        raise typer.Exit from None
