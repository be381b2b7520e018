"""`alerts queue`: the bank's message queue, from which the bridge takes bookings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerts_cli.options import App, load_config

if TYPE_CHECKING:
    from account_alerts.config.ingest import Bridge
    from operations.queue import Outgoing

app = App(help="The bank's message queue, from which the bridge takes bookings.")


@app.command(epilog="Example: alerts queue send notification.xml payment.json")
def send(
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="A message each: camt.054 XML, or JSON."),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="The sample's bookings as camt.054, booked now.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="With --sample: only so many.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Messages a second (default: all).")] = None,
) -> None:
    """Put messages onto the queue; ends when the broker has stored them all."""
    from operations.queue import Outgoing, put

    if sample == bool(files):
        raise typer.BadParameter("give files, or --sample")
    messages = _sample(limit) if sample else (Outgoing(file.read_bytes()) for file in files or ())
    typer.echo(f"{put(_bridge(), messages, rate)} messages are on the queue.")


@app.command(epilog="Example: alerts queue status")
def status() -> None:
    """Print how many messages wait, how many are unsettled in bridges, how many bridges read."""
    from operations import queue

    bridge = _bridge()
    found = queue.status(bridge)
    if found is None:
        raise queue.QueueUnreachableError(
            f"{bridge.url}/{bridge.address}: says nothing. Is it up (alerts up --profile full), an Artemis, "
            "and bridge.management right?"
        )
    typer.echo(
        f"{bridge.address}: {found.depth} messages, {found.unsettled} unsettled, {found.consumers} bridges"
    )
    rejected = queue.status(bridge, bridge.address + queue.DEAD_LETTERS)
    if rejected is not None:
        typer.echo(f"{bridge.address}{queue.DEAD_LETTERS}: {rejected.depth} messages too large for Kafka")


def _sample(limit: int | None) -> Iterator["Outgoing"]:
    import time

    from devenv.bank import camt054_writer
    from operations import booking_files
    from operations.queue import Outgoing

    for entry in booking_files.read()[:limit]:
        booking = {**entry, "booked_at": time.time_ns() // 1_000_000}
        yield Outgoing(camt054_writer.write(booking), entry["account_id"])


def _bridge() -> "Bridge":
    return load_config().require("bridge")
