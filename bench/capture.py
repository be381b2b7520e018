"""From a commit in the bank's database to its topic, and how quick a snapshot is: `python -m bench capture`.

Starts a Kafka, a PostgreSQL, Kafka Connect and one publisher on free ports; nothing else. First the customers
are there and capture starts: the snapshot. Then one customer after the other changes a threshold, at a steady
rate.
"""

import time
from typing import Annotated

import typer

from account_alerts import postgres
from account_alerts.config import Config
from bench.components import components
from bench.end_to_end import customers
from bench.measures import percentile
from devenv.bank import database as bank_tool
from devenv.services.catalog import CONNECT, POSTGRES, PUBLISHER
from operations.tail import follow
from operations.waiting import print_progress
from tests.component.programs import Programs


def snapshot(programs: Programs, count: int, patience: float) -> None:
    """Start capture on a database with customers; print how long until all are on their topics."""
    config = programs.config
    print_progress(f"{count} customers into the database")
    start = time.monotonic()
    bank_tool.load(config, customers(count))
    print(f"{count} customers loaded in {time.monotonic() - start:.1f} s, in one transaction")
    start = time.monotonic()
    programs.start(CONNECT)
    programs.start(PUBLISHER)
    topics = [config.topics.account_authorizations.name, config.topics.alert_settings.name]
    keys: dict[str, set[bytes]] = {name: set() for name in topics}
    for record in follow(
        config,
        topics,
        from_beginning=True,
        stop=lambda: (
            all(len(found) >= count for found in keys.values()) or time.monotonic() > start + patience
        ),
    ):
        keys[record.topic() or ""].add(bytes(record.key() or b""))
    seconds = time.monotonic() - start
    found = sum(map(len, keys.values()))
    print(
        f"snapshot: {found} of {2 * count} records in {seconds:.1f} s with all starts: "
        f"{found / seconds:.0f}/s"
    )


def changes(config: Config, count: int, people: int, rate: float) -> None:
    """Change a threshold of one customer after the other; print the times from commit to topic."""
    committed: dict[bytes, float] = {}
    with postgres.connect(config.require("bank"), autocommit=True) as connection:
        start = time.monotonic()
        for number in range(min(count, people)):
            time.sleep(max(0.0, start + number / rate - time.monotonic()))
            connection.execute(
                "UPDATE preferences SET threshold_minor = threshold_minor + 1 WHERE customer_id = %s",
                (f"c{number}",),
            )
            committed[f"c{number}".encode()] = time.time()
    took: dict[bytes, float] = {}
    begin = min(committed.values()) * 1000 - 1000
    end = time.monotonic() + 60
    topic = config.topics.alert_settings.name
    for record in follow(
        config,
        [topic],
        from_beginning=True,
        stop=lambda: len(took) == len(committed) or time.monotonic() > end,
    ):
        key = bytes(record.key() or b"")
        if record.timestamp()[1] >= begin and key in committed:
            took[key] = record.timestamp()[1] - committed[key] * 1000
    times = list(took.values())
    print(
        f"{len(times)} of {len(committed)} changes at {rate:.0f}/s, commit to topic: "
        f"p50 {percentile(times, 0.5):.0f}, p95 {percentile(times, 0.95):.0f}, "
        f"p99 {percentile(times, 0.99):.0f}, most {max(times):.0f} ms"
    )


def main(
    people: Annotated[int, typer.Option("--customers")] = 100_000,
    count: Annotated[int, typer.Option("--changes")] = 2_000,
    rate: Annotated[float, typer.Option(help="Changes a second.")] = 50,
    patience: Annotated[float, typer.Option(help="Seconds to wait for the snapshot.")] = 600,
) -> None:
    """Measure change data capture: a snapshot, then the time from a commit to its topic.

    By-passed: bookings, the jobs and all behind them.
    """
    with components() as programs:
        programs.start(POSTGRES)
        snapshot(programs, people, patience)
        changes(programs.config, count, people, rate)
