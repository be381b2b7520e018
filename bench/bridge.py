"""How many messages a second a bridge takes from queue to Kafka, and what it costs: `python -m bench bridge`.

Starts a Kafka, a queue and bridges on free ports; nothing else. The messages, camt.054, are stored by the
queue while no bridge runs; then they take them as fast as they can, all settled at the end.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import psutil
import typer

from bench.components import components
from bench.measures import cpu_seconds
from devenv.bank import camt054_writer
from devenv.services import queue as local_queue
from devenv.services.catalog import BRIDGE, QUEUE
from operations import booking_files
from operations.queue import Outgoing, put
from operations.waiting import print_progress, wait_for
from tests.component.programs import Programs

_LOOK_SECONDS = 0.5
_PARTS = ("bridge", "queue", "kafka")


def messages(count: int) -> Iterator[Outgoing]:
    """Yield the sample's bookings again and again, under other ids."""
    entries = booking_files.read()
    for number in range(count):
        entry = entries[number % len(entries)]
        booking = {**entry, "entry_id": f"b{number}", "booked_at": time.time_ns() // 1_000_000}
        yield Outgoing(camt054_writer.write(booking), entry["account_id"])


def measure(programs: Programs, count: int, warm_up: int, bridges: int) -> None:
    """Fill the queue, start the bridges, wait until they have settled all; print what came of it."""
    config = programs.config
    assert config.bridge is not None
    print_progress(f"storing {warm_up + count} messages")
    put(config.bridge, messages(warm_up + count))

    def left() -> int:
        # Not more often: asking costs as much as some hundred messages.
        time.sleep(_LOOK_SECONDS)
        status = local_queue.status(config)
        return warm_up + count if status is None else status.depth

    programs.start(BRIDGE)
    with more_bridges(programs, bridges - 1) as others:
        print_progress(f"{bridges} bridges; {warm_up} messages until everything is compiled")
        wait_for("the first settled messages", lambda: left() <= count, 600, "See bridge.out.")
        processes: dict[str, list[psutil.Process]] = {name: programs.processes(name) for name in _PARTS}
        processes["bridge"] += others
        before = {name: cpu_seconds(found) for name, found in processes.items()}
        first = left()
        start = time.monotonic()
        wait_for("an empty queue", lambda: left() == 0, 600, "See bridge.out.")
        seconds = time.monotonic() - start
        cost = ", ".join(
            f"{name} {(cpu_seconds(found) - before[name]) / first * 1e6:.0f} us"
            for name, found in processes.items()
        )
    print(
        f"{first} messages settled in {seconds:.1f} s: {first / seconds:.0f}/s; processor per message: {cost}"
    )


@contextmanager
def more_bridges(programs: Programs, count: int) -> Iterator[Sequence[psutil.Process]]:
    """So many bridges besides the first."""
    file = programs.layout(BRIDGE.program).config
    command = [sys.executable, "-m", "ingest.bridge", "--config", str(file)]
    started = []
    for _ in range(count):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        started.append(psutil.Popen(command, env={**os.environ, "ALERTS_BRIDGE__METRICS_PORT": port}))
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
            process.wait()


def main(
    count: Annotated[int, typer.Option(help="Messages that are measured.")] = 100_000,
    warm_up: Annotated[int, typer.Option(help="Messages before them.")] = 50_000,
    bridges: Annotated[int, typer.Option(help="Processes that share the queue.")] = 2,
) -> None:
    """Measure how many messages a second bridges take from the queue to Kafka, and what each costs.

    By-passed: the jobs and all behind them. The queue is the local stand-in for a bank's.
    """
    with components() as programs:
        programs.start(QUEUE)
        measure(programs, count, warm_up, bridges)
