"""How long an alert takes, from the record of its booking to its own record; both times are the broker's."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from account_alerts.config import Config
from account_alerts.records.codec import codec
from bench import feed
from bench.chain import Chain
from bench.meter import measured
from operations.waiting import print_progress

PERCENTILES = (50, 95, 99)
_PATIENCE = 60.0


@dataclass(frozen=True)
class Load:
    """Bookings a second, and the share of them that raises alerts."""

    rate: float
    share: float
    warm_up: float = 10.0
    """Seconds before the measurement: Java's compiler takes longer where the processors are busy."""

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.rate:g}/s, {self.share:.0%} raised"


LOADS = (Load(500, 0.2), Load(5, 0.2), Load(5000, 0.4, 60.0))


@dataclass
class Latency:
    """The result; times in milliseconds, Kafka to Kafka."""

    rate: float
    share: float
    alerts: int
    alerts_measured: int
    missing: int
    repeated: int
    p50: float
    p95: float
    p99: float
    max: float
    producer: dict[str, float]
    usage: dict[str, dict[str, float]]
    distribution: list[int]
    """How many alerts took 0 ms, 1 ms and so on; the last number is of all that took longer."""
    by_second: list[float]
    """The p99 of the alerts of each second: whether a few pauses or all seconds make the p99 of the whole."""

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


@contextmanager
def paced(chain: Chain, load: Load, seconds: float, accounts: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that sends bookings; it begins with the block and has ended after it."""
    first = chain.take_bookings(int(load.rate * seconds))
    arguments = [load.rate, seconds, load.share, first, accounts]
    command = [sys.executable, "-m", "bench.paced_producer", str(chain.file), *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def said(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the next JSON object that the process prints."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"the producer ended with {process.wait()}")
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def run(chain: Chain, load: Load, accounts: int, seconds: float) -> Latency:
    """Send bookings evenly spaced and measure the alerts of those sent after the warm-up."""
    config = chain.config
    everything = feed.Ender(config, [config.topics.account_entries.name, *feed.outbound(config)])
    before = everything.ends()
    alerts_before = sum(last for (topic, _), last in before.items() if topic in feed.outbound(config))
    with paced(chain, load, load.warm_up + seconds, accounts) as process:
        expected = said(process)["alerts"]
        with measured(config) as usages:
            kept_time = said(process)
    chain.wait_for_alerts(alerts_before + expected, _PATIENCE)
    waits, seconds_of, seen = _waits(
        config, feed.read_between(config, before, everything.ends()), load.warm_up
    )
    print_progress(f"{load.name}: {len(waits)} alerts measured")
    p50, p95, p99 = [float(cut) for cut in np.percentile(waits, PERCENTILES)] if len(waits) else [0.0] * 3
    return Latency(
        load.rate,
        load.share,
        sum(seen.values()),
        len(waits),
        expected - len(seen),
        sum(seen.values()) - len(seen),
        round(p50, 1),
        round(p95, 1),
        round(p99, 1),
        float(waits.max()) if len(waits) else 0.0,
        kept_time,
        usages.as_dict(),
        [int(count) for count in np.bincount(np.minimum(waits, 200), minlength=201)],
        [round(float(np.percentile(waits[seconds_of == second], 99)), 1) for second in np.unique(seconds_of)],
    )


def _waits(
    config: Config, messages: Iterable[Message], warm_up: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], dict[str, int]]:
    """Milliseconds that each alert took, and the second its booking was in; how often each id was seen."""
    reader, entries_topic = codec(config), config.topics.account_entries.name
    booked: dict[str, int] = {}
    alerts: list[tuple[str, int]] = []
    seen: dict[str, int] = {}
    for message in messages:
        value, written_at = message.value() or b"", message.timestamp()[1]
        if message.topic() == entries_topic:
            # The id is the first field: its length in a byte (twice, as Avro has it), then its text.
            booked[value[1 : 1 + value[0] // 2].decode()] = written_at
        else:
            alert = reader.decode("OutboundAlert", value)
            alerts.append((alert["entry_id"], written_at))
            seen[alert["alert_id"]] = seen.get(alert["alert_id"], 0) + 1
    start = min(booked.values(), default=0) + warm_up * 1000
    measured_alerts = [(booked[entry], written) for entry, written in alerts if booked.get(entry, 0) >= start]
    begun, ended = np.array(measured_alerts, np.int64).reshape(-1, 2).T
    return ended - begun, (begun - int(start)) // 1000, seen
