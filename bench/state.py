"""What grows with the number of accounts: throughput, checkpoints, the time to recover, memory."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from account_alerts.config import Config
from account_alerts.records.codec import codec
from bench import feed, throughput
from bench.chain import Chain, restarted, started
from bench.latency import Load, paced, said
from operations.waiting import print_progress, wait_for

DIRECT_FROM = 10_000
"""From so many accounts on, `alert-rules` is filled directly: the job would take minutes for them."""
_LOAD = Load(50, 1.0)
_LONGEST_RECOVERY = 240.0


_ROCKSDB_PART = 10


@dataclass
class StateCost:
    """The result for one number of accounts and one state backend."""

    accounts: int
    backend: str
    taskmanager_memory: str
    filled_directly: bool
    seconds_to_recover: float
    """From the kill of the TaskManager to the first alert of a booking that was made after it."""
    throughput: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


def overrides(accounts: int, backend: str) -> dict[str, Any]:
    """Return overrides for so many accounts: the heap must hold them all, RocksDB need not."""
    memory, compress = "4g", False
    if backend == "hashmap" and accounts > 200_000:
        memory, compress = "6g" if accounts <= 1_000_000 else "12g", True
    return {
        "alerting": {"state_backend": backend, "compress_checkpoints": compress},
        "local": {"taskmanager_memory": memory},
    }


def fill(accounts: int, config: Config, counting: bool = False) -> None:
    """Write the rules of so many accounts, or what they are made of."""
    began = time.monotonic()
    if accounts >= DIRECT_FROM:
        feed.write_rules(config, accounts, counting)
    else:
        feed.write_accounts(config, accounts)
    print_progress(f"{accounts} accounts written in {time.monotonic() - began:.1f} s")


def run(accounts: int, backends: list[str], bookings: int, warm_up: int) -> Iterator[StateCost]:
    """Measure each backend on the same records; RocksDB, which is ten times slower, on a tenth of them."""
    with ExitStack() as stack:
        chain = stack.enter_context(started(overrides(accounts, backends[0]), lambda it: fill(accounts, it)))
        for number, backend in enumerate(backends):
            settings = overrides(accounts, backend)
            if number:
                chain = stack.enter_context(restarted(chain, settings))
            print_progress(f"{accounts} accounts, {backend}")
            part = _ROCKSDB_PART if backend == "rocksdb" else 1
            result = throughput.run(chain, accounts, bookings // part, warm_up // part)
            seconds = recovery(chain, accounts)
            yield StateCost(
                accounts,
                backend,
                settings["local"]["taskmanager_memory"],
                accounts >= DIRECT_FROM,
                seconds,
                result.as_dict(),
            )
            chain.checkpoint()


def recovery(chain: Chain, accounts: int) -> float:
    """Kill the TaskManager while bookings come in; the seconds until a booking made after that is alerted."""
    config = chain.config
    everything = feed.Ender(config, [config.topics.account_entries.name, *feed.outbound(config)])
    chain.checkpoint()
    before = everything.ends()
    with paced(chain, _LOAD, _LONGEST_RECOVERY, accounts) as process:
        said(process)
        wait_for("a booking", lambda: everything.ends() != before, 30, "See the producer.")
        victim = chain.task_manager()
        killed_at = time.time_ns() // 1_000_000
        victim.kill()
        seconds = _first_alert_after(config, before, killed_at)
    print_progress(f"recovered in {seconds:.1f} s")
    return seconds


def _first_alert_after(config: Config, start: feed.Ends, killed_at: int) -> float:
    """Seconds from a moment to the first alert of a booking that was written after it."""
    reader, entries_topic = codec(config), config.topics.account_entries.name
    ender = feed.Ender(config, [entries_topic, *feed.outbound(config)])
    booked: dict[str, int] = {}
    alerts: list[tuple[str, int]] = []
    found: list[int] = []

    def look() -> bool:
        nonlocal start
        end = ender.ends()
        for message in feed.read_between(config, start, end):
            value, written_at = message.value() or b"", message.timestamp()[1]
            if message.topic() == entries_topic:
                booked[value[1 : 1 + value[0] // 2].decode()] = written_at
            else:
                alerts.append((reader.decode("OutboundAlert", value)["entry_id"], written_at))
        # An alert may be read before its booking, which is on another topic.
        found.extend(written_at for entry, written_at in alerts if booked.get(entry, 0) > killed_at)
        start = end
        return bool(found)

    wait_for("an alert after the kill", look, _LONGEST_RECOVERY, "See the jobs' logs.")
    return (min(found) - killed_at) / 1000
