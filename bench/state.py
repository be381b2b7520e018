"""What grows with the number of accounts: throughput, checkpoints, the time to recover, memory."""

import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from account_alerts.config import Config
from account_alerts.records.codec import codec
from bench import feed, throughput
from bench.chain import ALERTING, Chain, started
from bench.latency import Load, paced, said
from operations.waiting import print_progress, wait_for

_LOAD = Load(50, 1.0)
_LONGEST = 900.0


class Backend(StrEnum):
    """Flink's state backends."""

    HASHMAP = "hashmap"
    ROCKSDB = "rocksdb"


@dataclass
class StateCost:
    """The result for one number of accounts and one state backend."""

    accounts: int
    backend: str
    taskmanager_memory: str
    seconds_of_cold_start: float
    """From the start of the job without state, all rules still to be read, to the first alert."""
    seconds_to_recover: float
    """From the kill of the TaskManager to the first alert of a booking that was made after it."""
    throughput: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


def overrides(accounts: int, backend: Backend) -> dict[str, Any]:
    """Return overrides for so many accounts: the heap must hold them all, RocksDB need not."""
    memory, compress = "4g", False
    if backend == Backend.HASHMAP and accounts > 200_000:
        memory, compress = "6g" if accounts <= 1_000_000 else "12g", True
    return {
        "alerting": {"state_backend": str(backend), "compress_checkpoints": compress},
        "local": {"taskmanager_memory": memory},
    }


def fill(accounts: int, config: Config, counting: bool = False) -> None:
    """Write who may see so many accounts, and their settings, to the topics that the job reads."""
    began = time.monotonic()
    feed.write_accounts(config, accounts, counting)
    print_progress(f"{accounts} accounts written in {time.monotonic() - began:.1f} s")


def run(accounts: int, backend: Backend, bookings: int, warm_up: int) -> StateCost:
    """Measure one number of accounts on one backend, in an environment of its own."""
    print_progress(f"{accounts} accounts, {backend}")
    settings = overrides(accounts, backend)
    with started(settings, lambda config: fill(accounts, config), jobs=False) as chain:
        cold = cold_start(chain, accounts)
        result = throughput.run(chain, accounts, bookings, warm_up)
        memory = settings["local"]["taskmanager_memory"]
        return StateCost(accounts, backend, memory, cold, recovery(chain, accounts), result.as_dict())


def cold_start(chain: Chain, accounts: int) -> float:
    """Submit the job without state while bookings come in; the seconds from its start to its first alert."""
    config = chain.config
    before = feed.Ender(config, [config.topics.account_entries.name, *feed.outbound(config)]).ends()
    with paced(chain, _LOAD, _LONGEST, accounts) as process:
        said(process)
        chain.bring_up_jobs()
        job = chain.rest.live_job(ALERTING)
        assert job is not None
        seconds = (_first_alert_after(config, before, 0) - job.started) / 1000
    # What the producer sent after its last alert was counted must not be among those of the next phase.
    chain.settle()
    print_progress(f"first alert {seconds:.1f} s after the start with all rules still to be read")
    return seconds


def recovery(chain: Chain, accounts: int) -> float:
    """Kill the TaskManager while bookings come in; the seconds until a booking made after that is alerted."""
    config = chain.config
    everything = feed.Ender(config, [config.topics.account_entries.name, *feed.outbound(config)])
    chain.checkpoint()
    before = everything.ends()
    with paced(chain, _LOAD, _LONGEST, accounts) as process:
        said(process)
        wait_for("a booking", lambda: everything.ends() != before, 30, "See the producer.")
        victim = chain.task_manager()
        killed_at = time.time_ns() // 1_000_000
        victim.kill()
        seconds = (_first_alert_after(config, before, killed_at) - killed_at) / 1000
    print_progress(f"recovered in {seconds:.1f} s")
    return seconds


def _first_alert_after(config: Config, start: feed.Ends, moment: int) -> int:
    """When the first alert was written of a booking that was written after a moment (ms UTC)."""
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
        found.extend(written_at for entry, written_at in alerts if booked.get(entry, 0) > moment)
        start = end
        return bool(found)

    wait_for("an alert", look, _LONGEST, "See the job's logs.")
    return min(found)
