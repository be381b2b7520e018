"""How many bookings a second the chain works off when all it needs is in Kafka already."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench import feed
from bench.chain import Chain, JoinCounter
from bench.meter import measured
from operations.flink.rest import FlinkUnreachableError
from operations.waiting import print_progress

SHARE = 0.01
"""Of the bookings, this share raises an alert: one per customer of the account."""
_EDGE = 0.1
"""The first and the last tenth of the bookings are not steady."""
_INTERVAL = 1.0
_PATIENCE = 900.0


@dataclass
class Throughput:
    """The result; rates are bookings per second."""

    bookings: int
    alerts_expected: int
    alerts: int
    steady_by_flink: int
    """The median of the seconds between the first and the last tenth, by what the join has let go."""
    steady_by_kafka: int
    """The same by the Kafka times of the alerts, whose share of the bookings is known."""
    whole: int
    """The bookings by the time from their first alert to the last."""
    from_release: int
    """The same with the warm-up, by the time from the job's start, restoring its state included."""
    seconds_to_first_alert: float
    """From the job's start."""
    checkpoints: dict[str, Any]
    usage: dict[str, dict[str, float]] = field(default_factory=dict)
    per_second: list[int] = field(default_factory=list)
    """By Flink's count, for the plot."""

    def as_dict(self) -> dict[str, Any]:
        """For the report."""
        return asdict(self)


def run(chain: Chain, accounts: int, bookings: int, warm_up: int) -> Throughput:
    """Write the bookings while the job is away, let it go, and measure what comes after the warm-up.

    The warm-up is the first part of the same backlog: another start would compile the job's code anew.
    """
    chain.checkpoint()
    chain.stop_alerting()
    config = chain.config
    before = feed.Ender(config, feed.outbound(config)).ends()
    total = warm_up + bookings
    expected = feed.write_bookings(config, chain.take_bookings(total), total, accounts, SHARE)
    chain.wait_for_rules()
    chain.start_alerting()
    with measured(config) as usages:
        samples, alerts = _follow(chain, sum(before.values()) + expected)
    job = chain.rest.get(f"/jobs/{chain.job_id()}")
    released = int(job["timestamps"]["RUNNING"])
    end = feed.Ender(config, feed.outbound(config)).ends()
    times = sorted(message.timestamp()[1] for message in feed.read_between(config, before, end))
    if not times:
        raise RuntimeError("no alert came: see the jobs' logs")
    warm = times[int(len(times) * warm_up / total) :]
    seconds = max((warm[-1] - warm[0]) / 1000, 0.001)
    rates = _rates(samples)
    return Throughput(
        bookings,
        expected,
        alerts - sum(before.values()),
        _steady(rates, warm_up, total),
        _steady_by_alerts(warm, bookings),
        round(bookings / seconds),
        round(total / max((times[-1] - released) / 1000, 0.001)),
        round((times[0] - released) / 1000, 2),
        checkpoint_figures(chain),
        usages.as_dict(),
        [round(rate) for _, rate in rates],
    )


def warm(chain: Chain, accounts: int, count: int) -> None:
    """Let the running job work off some bookings."""
    ender = feed.Ender(chain.config, feed.outbound(chain.config))
    before, started = ender.total(), time.monotonic()
    expected = feed.write_bookings(chain.config, chain.take_bookings(count), count, accounts, SHARE)
    chain.wait_for_alerts(before + expected)
    print_progress(f"warm after {time.monotonic() - started:.0f} s")


def _follow(chain: Chain, alerts_total: int) -> tuple[list[tuple[float, int]], int]:
    """(time, bookings let go) every second, until all alerts are there; and how many alerts there are."""
    counter = JoinCounter(chain)
    ender = feed.Ender(chain.config, feed.outbound(chain.config))
    samples: list[tuple[float, int]] = []
    start = time.monotonic()
    due, alerts = start, 0
    while time.monotonic() - start < _PATIENCE:
        count = counter.read()
        if count is not None:
            samples.append((time.monotonic(), count))
        alerts = ender.total()
        if alerts >= alerts_total:
            break
        due += _INTERVAL
        time.sleep(max(0.0, due - time.monotonic()))  # Sampling, not waiting.
    return samples, alerts


def _rates(samples: list[tuple[float, int]]) -> list[tuple[int, float]]:
    """(bookings let go, bookings a second just then) of the samples that are not repeats of old ones."""
    rates, last = [], None
    for moment, count in samples:
        if last is not None and count > last[1]:
            rates.append((count, (count - last[1]) / (moment - last[0])))
        if last is None or count > last[1]:
            last = moment, count
    return rates


def _steady(rates: list[tuple[int, float]], warm_up: int, total: int) -> int:
    edge = _EDGE * (total - warm_up)
    chosen = [rate for count, rate in rates if warm_up + edge < count < total - edge]
    return round(median(chosen or [rate for _, rate in rates] or [0.0]))


def _steady_by_alerts(times: list[int], bookings: int) -> int:
    inner = times[int(len(times) * _EDGE) : int(len(times) * (1 - _EDGE))]
    seconds = Counter((moment - inner[0]) // 1000 for moment in inner)
    whole = [count for second, count in seconds.items() if second < max(seconds)]
    return round(median(whole or [len(inner)]) * bookings / len(times))


def checkpoint_figures(chain: Chain) -> dict[str, Any]:
    """How large the checkpoints of the alerting job are, and how long they take."""
    try:
        found = chain.rest.checkpoints(chain.job_id())
    except FlinkUnreachableError:
        return {}
    done = [one for one in found["history"] if one["status"] == "COMPLETED"]
    if not done:
        return {}
    return {
        "completed": found["counts"]["completed"],
        "failed": found["counts"]["failed"],
        "state_mib": round(max(one["state_size"] for one in done) / 2**20, 1),
        "written_mib": round(median(one["checkpointed_size"] for one in done) / 2**20, 1),
        "median_ms": round(median(one["end_to_end_duration"] for one in done)),
        "longest_ms": max(one["end_to_end_duration"] for one in done),
    }
