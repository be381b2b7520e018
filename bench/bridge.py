"""How many messages a second a bridge takes from queue to Kafka, and what it costs: `python -m bench.bridge`.

Starts a Kafka, a queue and one bridge on free ports; nothing else. The messages, camt.054, are stored by the
queue while the bridge is stopped; then it takes them as fast as it can, all settled at the end.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from account_alerts import sample
from account_alerts.config import load
from account_alerts.local import queue as local_queue
from account_alerts.local import throw_away
from account_alerts.local.parts import BRIDGE, QUEUE
from account_alerts.local.waiting import say, wait_for
from bench.senders import processor_seconds
from inbound.bridge import camt054_write
from inbound.bridge.queue import Outgoing, put
from tests.ends.conftest import KAFKA
from tests.ends.programs import Programs

_PARTS = ("bridge", "queue", "kafka")


def messages(count: int) -> Iterator[Outgoing]:
    """The sample's bookings again and again, under other ids."""
    entries = sample.read()
    for number in range(count):
        entry = entries[number % len(entries)]
        booking = {**entry, "entry_id": f"b{number}", "booked_at": time.time_ns() // 1_000_000}
        yield Outgoing(camt054_write.write(booking), entry["account_id"])


def measure(programs: Programs, count: int) -> None:
    """Fill the queue, start the bridge, wait until it has settled all; print what came of it."""
    config = programs.config
    assert config.bridge is not None
    say(f"storing {count} messages")
    put(config.bridge, messages(count))

    def left() -> int:
        status = local_queue.status(config)
        return count if status is None else status.depth

    programs.start(BRIDGE)
    wait_for("the first settled messages", lambda: left() < count, 120, "See bridge.out.")
    processes: dict[str, list[psutil.Process]] = {name: programs.processes(name) for name in _PARTS}
    before = {name: processor_seconds(found) for name, found in processes.items()}
    start, first = time.monotonic(), left()
    wait_for("an empty queue", lambda: left() == 0, 600, "See bridge.out.")
    seconds = time.monotonic() - start
    cost = ", ".join(
        f"{name} {(processor_seconds(found) - before[name]) / first * 1e6:.0f} us"
        for name, found in processes.items()
    )
    print(
        f"{first} messages settled in {seconds:.1f} s: {first / seconds:.0f}/s; processor per message: {cost}"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="alerts-bench-") as name:
        folder = Path(name)
        programs = Programs(throw_away(load(), folder), folder)
        try:
            programs.start(KAFKA)
            programs.start(QUEUE)
            measure(programs, chosen.count)
        finally:
            programs.stop_all()


if __name__ == "__main__":
    main()
