"""The turns of the sides that are compared: each works off the same bookings, alone, measured alike."""

import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from account_alerts import installation
from account_alerts.config import PROJECT
from account_alerts.records.codec import codec
from bench import feed, latency, throughput
from bench.chain import Chain
from bench.meter import Processors
from bench.peers import limit
from devenv.layout import layout
from operations.flink.savepoints import patient
from operations.waiting import print_progress, wait_for

_PATIENCE = 900.0
_INTERVAL = 0.5
_EDGE = 0.1
_LIMIT_ATTEMPTS = 2
"""The first run is for Java's compiler."""


class Side(Protocol):
    """What makes alerts of bookings; it goes on where it stopped."""

    name: str

    def start(self) -> None:
        """Start it; return when it runs."""

    def stop(self) -> None:
        """Stop it, so that it reads no booking twice."""


class Ours:
    """The alerting job, on a TaskManager that stays up."""

    name = "ours"

    def __init__(self, chain: Chain) -> None:
        """Take the job as it runs."""
        self._chain = chain

    def start(self) -> None:
        """Start it from its newest checkpoint."""
        self._chain.start_alerting()

    def stop(self) -> None:
        """Make a checkpoint and cancel it."""
        self._chain.checkpoint()
        self._chain.stop_alerting()


@dataclass
class Figures:
    """What one side did in one round; rates a second, processor time of the measured bookings."""

    bookings_per_second: int
    worker_us: float
    """Microseconds of the worker's processor time per booking: TaskManager, or the peer."""
    broker_us: float
    missing: int = 0
    latency: dict[str, dict[str, float]] = field(default_factory=dict)
    """By bookings a second: p50, p95, p99, alerts, missing, repeated."""

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


@dataclass
class Backlog:
    """Bookings that wait on Kafka: those of the warm-up, then the measured ones."""

    first: int
    """The number of the first measured one."""
    bookings: int
    alerts: int
    """Of the measured ones."""
    start: feed.Ends
    """Where the measured ones begin."""

    def __contains__(self, entry_id: str) -> bool:
        """Whether it is a measured booking."""
        return self.first <= int(entry_id[1:]) < self.first + self.bookings


Alerts = set[tuple[str, ...]]
"""The id, and the settings that are its reasons."""


class Round:
    """One round: all sides on the same bookings."""

    def __init__(self, chain: Chain, accounts: int, owed: dict[str, int]) -> None:
        """`owed` is kept from round to round: alerts each side has yet to make of bookings sent to others."""
        self._chain, self._accounts, self._owed = chain, accounts, owed
        self._ender = feed.Ender(chain.config, feed.outbound(chain.config))

    def write(self, bookings: int, warm_up: int) -> Backlog:
        """Write the backlog, while nobody reads."""
        config, entries = self._chain.config, self._chain.config.topics.account_entries.name
        before = self._write(warm_up)
        start, first = feed.Ender(config, [entries]).ends(), self._chain.next_booking
        alerts = self._write(bookings)
        for side in self._owed:
            self._owed[side] += before + alerts
        time.sleep(2)  # The broker has still to write some of it to its disk.
        return Backlog(first, bookings, alerts, start)

    def _write(self, count: int) -> int:
        first = self._chain.take_bookings(count)
        return feed.write_bookings(self._chain.config, first, count, self._accounts, throughput.SHARE)

    def work_off(self, side: Side, backlog: Backlog) -> tuple[Figures, Alerts]:
        """Start a side and measure until it has made the alerts of all bookings."""
        config, before = self._chain.config, self._ender.ends()
        had, owed = sum(before.values()), self._owed[side.name]
        side.start()
        processors = Processors(config)
        samples: list[tuple[int, float, float]] = []
        end = time.monotonic() + _PATIENCE
        while (made := self._ender.total() - had) < owed and time.monotonic() < end:
            cpu = processors.read()
            samples.append((made, cpu["peer"] or cpu["taskmanager"] + cpu["python"], cpu["broker"]))
            time.sleep(_INTERVAL)  # Sampling, not waiting.
        self._owed[side.name] = 0
        messages = list(feed.read_between(config, before, self._ender.ends()))
        # The measured bookings are the last ones.
        times = sorted(message.timestamp()[1] for message in messages)[-backlog.alerts :]
        reader = codec(config)
        alerts = [reader.decode("OutboundAlert", message.value() or b"") for message in messages]
        measured = [one for one in alerts if one["entry_id"] in backlog]
        low, high = (owed - backlog.alerts * (1 - share) for share in (_EDGE, 1 - _EDGE))
        inner = [sample for sample in samples if low <= sample[0] <= high]
        worker, broker = _each(inner, backlog) if len(inner) > 1 else (0.0, 0.0)
        rate = throughput.steady(times, backlog.bookings)
        print_progress(f"{side.name}: {rate:,}/s, {worker} + {broker} us, alerts {made} of {owed}")
        figures = Figures(rate, worker, broker, owed - made)
        return figures, {
            (one["alert_id"], *(reason["setting_id"] for reason in one["reasons"])) for one in measured
        }

    def measure_latency(self, side: Side, load: latency.Load, seconds: float) -> dict[str, float]:
        """Send bookings evenly spaced to a side that runs and has nothing else to do."""
        found = latency.run(self._chain, load, self._accounts, seconds)
        for other in self._owed:
            if other != side.name:
                self._owed[other] += found.alerts - found.repeated + found.missing
        kept = ("p50", "p95", "p99", "alerts", "missing", "repeated")
        return {key: getattr(found, key) for key in kept}

    def read_only(self, backlog: Backlog) -> Figures:
        """Measure a Flink job that reads and decodes the measured bookings, and nothing else."""
        chain, config = self._chain, self._chain.config
        offsets = ";".join(
            f"partition:{number},offset:{offset}" for (_, number), offset in sorted(backlog.start.items())
        )
        run, figures = layout(config).run_folder, Figures(0, 0.0, 0.0)
        command = [
            str(installation.flink_home() / "bin/flink"),
            *("run", "-d", "-pyexec", sys.executable, "-pyclientexec", sys.executable, "-py", limit.__file__),
            *(str(chain.file), offsets),
        ]
        for _ in range(_LIMIT_ATTEMPTS):
            processors = Processors(config)
            before = processors.read()
            with (run.logs / "submit-limit.out").open("w") as output:
                environment = {**run.environment(), "PYTHONPATH": str(PROJECT)}
                subprocess.run(command, stdout=output, stderr=output, env=environment, check=True)

            def ended() -> dict[str, Any] | None:
                job = next(each for each in chain.rest.jobs() if each.name == limit.NAME)
                return chain.rest.get(f"/jobs/{job.id}") if not job.live else None

            job = wait_for(
                "the end of all bookings", patient(ended), _PATIENCE, f"See {chain.config.flink.rest_url}."
            )
            if job["state"] != "FINISHED":
                raise RuntimeError(f"reading alone: {job['state']}")
            milliseconds = job["timestamps"]["FINISHED"] - job["timestamps"]["RUNNING"]
            after = processors.read()
            worker, broker = (
                round((after[name] - before[name]) / backlog.bookings * 1e6, 2)
                for name in ("taskmanager", "broker")
            )
            figures = Figures(round(backlog.bookings / milliseconds * 1000), worker, broker)
        print_progress(f"reading alone: {figures.bookings_per_second:,}/s")
        return figures


def _each(samples: list[tuple[int, float, float]], backlog: Backlog) -> tuple[float, float]:
    """Microseconds of worker and broker per booking, between the first and the last sample."""
    first, last = samples[0], samples[-1]
    done = (last[0] - first[0]) * backlog.bookings / backlog.alerts
    if not done:
        return 0.0, 0.0
    return round((last[1] - first[1]) / done * 1e6, 2), round((last[2] - first[2]) / done * 1e6, 2)
