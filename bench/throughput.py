"""How many bookings a second the chain works off when all it needs is in Kafka already."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from bench import feed
from bench.chain import Chain
from bench.meter import measured
from operations.flink.rest import FlinkUnreachableError
from operations.waiting import print_progress

SHARE = 0.01
"""Of the bookings, this share raises an alert: one per customer of the account."""
_EDGE = 0.1
"""The first and the last tenth of the bookings are not steady."""
_PATIENCE = 900.0


@dataclass
class Throughput:
    """The result; rates are bookings per second."""

    bookings: int
    alerts_expected: int
    alerts: int
    steady: int
    """The median of the seconds between the first and the last tenth, by the Kafka times of the alerts, whose
    share of the bookings is known."""
    whole: int
    """The bookings by the time from their first alert to the last."""
    from_release: int
    """The same with the warm-up, by the time from the job's start, restoring its state included."""
    seconds_to_first_alert: float
    """From the job's start."""
    checkpoints: dict[str, Any]
    usage: dict[str, dict[str, float]] = field(default_factory=dict)
    per_second: list[int] = field(default_factory=list)
    """Bookings of each second, by the alerts, with the warm-up; for the plot."""

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
    chain.start_alerting()
    with measured(config) as usages:
        alerts = chain.wait_for_alerts(sum(before.values()) + expected, _PATIENCE)
    job = chain.rest.get(f"/jobs/{chain.job_id()}")
    released = int(job["timestamps"]["RUNNING"])
    end = feed.Ender(config, feed.outbound(config)).ends()
    times = sorted(message.timestamp()[1] for message in feed.read_between(config, before, end))
    if not times:
        raise RuntimeError("no alert came: see the jobs' logs")
    warm = times[int(len(times) * warm_up / total) :]
    seconds = max((warm[-1] - warm[0]) / 1000, 0.001)
    return Throughput(
        bookings,
        expected,
        alerts - sum(before.values()),
        steady(warm, bookings),
        round(bookings / seconds),
        round(total / max((times[-1] - released) / 1000, 0.001)),
        round((times[0] - released) / 1000, 2),
        checkpoint_figures(chain),
        usages.as_dict(),
        [round(count * total / len(times)) for count in _by_second(times)],
    )


def warm(chain: Chain, accounts: int, count: int) -> None:
    """Let the running job work off some bookings."""
    ender = feed.Ender(chain.config, feed.outbound(chain.config))
    before, started = ender.total(), time.monotonic()
    expected = feed.write_bookings(chain.config, chain.take_bookings(count), count, accounts, SHARE)
    chain.wait_for_alerts(before + expected)
    print_progress(f"warm after {time.monotonic() - started:.0f} s")


def steady(times: list[int], bookings: int) -> int:
    """Bookings a second, by the sorted times of their alerts: the median between the first and last tenth."""
    inner = times[int(len(times) * _EDGE) : int(len(times) * (1 - _EDGE))]
    whole = _by_second(inner)[:-1]
    return round(median(whole or [len(inner)]) * bookings / len(times))


def _by_second(times: list[int]) -> list[int]:
    """How many of the sorted times (ms) are in each second from the first on."""
    seconds = Counter((moment - times[0]) // 1000 for moment in times)
    return [seconds[second] for second in range(max(seconds) + 1)]


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
