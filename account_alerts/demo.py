"""Real bookings become alerts, from nothing: what a newcomer watches first."""

import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from types import FrameType
from typing import Any

from confluent_kafka import Message

from account_alerts import local, sample, settings_tool
from account_alerts.codec import Record
from account_alerts.config import Config
from account_alerts.replay import Progress, send_entries
from account_alerts.tail import Arrival, tail

BOOKINGS = 4000
SPEED = 200.0
PATIENCE_SECONDS = 30.0
_LINES_A_SECOND = 10

AlertKey = tuple[str, str, str, str]
"""What an alert is about: booking, customer, setting, channel."""


@dataclass
class Watch:
    """What has happened so far; times in milliseconds on Kafka's clock."""

    wanted: set[AlertKey]
    started: float
    booked: dict[str, int] = field(default_factory=dict)
    arrivals: dict[AlertKey, Arrival] = field(default_factory=dict)
    repeats: int = 0
    first_alert_seconds: float | None = None

    def complete(self) -> bool:
        """Whether all alerts that must come have come."""
        return self.wanted <= self.arrivals.keys()

    def waits(self) -> list[int]:
        """Milliseconds from each booking's record to its alerts' records, sorted."""
        return sorted(
            arrival.written_at - self.booked[key[0]]
            for key, arrival in self.arrivals.items()
            if key[0] in self.booked
        )


def run(config: Config, keep: bool = False, as_json: bool = False) -> int:
    """Start everything on throw-away state, replay part of the sample, show what comes, stop everything.

    Args:
        config: The local environment's; it runs on free ports and in a folder of its own instead.
        keep: Leave it running, and say where.
        as_json: Print the summary as JSON, and nothing else to standard output.

    Returns:
        0 when every alert came, and none that must not; 1 otherwise.

    Raises:
        LocalError: The environment did not start.
        KafkaUnreachableError: Kafka went away.
    """
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="alerts-demo-"))
    own = local.throw_away(config, folder / "state")
    settings_file = folder / "demo.yaml"
    own.write(settings_file)
    complete = False
    with _interruptible():
        try:
            watch = _play(own, started, sys.stderr if as_json else sys.stdout)
            report = summary(watch)
            print(json.dumps(report, indent=2) if as_json else table(report), flush=True)
            complete = watch.complete() and not report["unexpected"]
            if keep:
                _tell(own, settings_file)
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                local.down(own)
                if complete:
                    shutil.rmtree(folder, ignore_errors=True)
                else:
                    print(f"Logs of what went wrong: {folder}", file=sys.stderr)
    return 0 if complete else 1


def _play(config: Config, started: float, out: Any) -> Watch:
    entries = sample.read()
    seen = sample.authorizations()
    wanted = sample.settings(entries, seen)
    # The liveliest part is the last: most accounts were opened on the way there.
    entries = entries[-BOOKINGS:]

    def put_settings() -> None:
        settings_tool.put_records(config, seen, settings_tool.AUTHORIZATIONS)
        settings_tool.put_records(config, wanted, settings_tool.SETTINGS)
        count = sum(len(record["settings"]) for record in wanted)
        print(f"{len(wanted)} customers with {count} settings on {len(seen)} accounts", file=out, flush=True)

    local.up(config, fresh=True, on_topics=put_settings)

    watch = Watch(set(sample.expected_alerts(entries, wanted)), started)
    ready, stop = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def follow() -> None:
        try:
            shown = 0.0
            for arrival in tail(config, on_ready=ready.set, stop=stop.is_set):
                if _note(watch, arrival) and (now := time.monotonic()) - shown > 1 / _LINES_A_SECOND:
                    shown = now
                    print(arrival.line(), file=out, flush=True)
                if watch.complete():
                    stop.set()
        except Exception as error:  # Told by the thread that waits.
            failures.append(error)
        finally:
            ready.set()
            stop.set()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    ready.wait()

    def sent(record: Record, message: Message) -> None:
        watch.booked[record["entry_id"]] = message.timestamp()[1]

    def show(progress: Progress) -> None:
        print(f"--- {progress.sent} of {progress.total} bookings, {len(watch.arrivals)} alerts", file=out)

    try:
        if not stop.is_set():
            send_entries(config, entries, SPEED, show, sent)
            stop.wait(PATIENCE_SECONDS)
    finally:
        stop.set()
        follower.join()
    if failures:
        raise failures[0]
    return watch


def _note(watch: Watch, arrival: Arrival) -> bool:
    """Take an alert down; False where it is a repeat."""
    alert = arrival.alert
    key = alert["entry_id"], alert["customer_id"], alert["setting_id"], alert["channel"]
    if watch.first_alert_seconds is None:
        watch.first_alert_seconds = time.monotonic() - watch.started
    if key in watch.arrivals:
        watch.repeats += 1
        return False
    watch.arrivals[key] = arrival
    return True


def summary(watch: Watch) -> dict[str, Any]:
    """The figures of the summary; latencies in milliseconds, Kafka to Kafka."""
    came = [arrival.alert for arrival in watch.arrivals.values()]
    waits = watch.waits()
    # The exact percentiles of what was measured, not an estimate of a population.
    cuts = quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else [float(*waits or [0])] * 99
    return {
        "bookings": len(watch.booked),
        "bookings_alerted": len({alert["entry_id"] for alert in came}),
        "alerts": len(came),
        "by_type": dict(sorted(Counter(alert["alert_type"] for alert in came).items())),
        "by_channel": dict(sorted(Counter(alert["channel"] for alert in came).items())),
        "missing": len(watch.wanted - watch.arrivals.keys()),
        "unexpected": len(watch.arrivals.keys() - watch.wanted),
        "repeated": watch.repeats,
        "milliseconds": {f"p{percent}": round(cuts[percent - 1], 1) for percent in (50, 95, 99)},
        "seconds_to_first_alert": round(watch.first_alert_seconds or 0.0, 1),
    }


def table(report: dict[str, Any]) -> str:
    """The summary for people."""
    rows: list[tuple[str, str]] = [
        ("bookings", str(report["bookings"])),
        ("  that raised an alert", str(report["bookings_alerted"])),
        ("alerts", str(report["alerts"])),
    ]
    rows += [(f"  {name}", str(count)) for name, count in report["by_type"].items()]
    rows += [(f"  by {name.lower()}", str(count)) for name, count in report["by_channel"].items()]
    rows += [(name, str(report[name])) for name in ("missing", "unexpected", "repeated")]
    rows += [(f"booking to alert, {name}", f"{value} ms") for name, value in report["milliseconds"].items()]
    rows.append(("start to first alert", f"{report['seconds_to_first_alert']} s"))
    names, values = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "\n".join(["", *(f"{name:<{names}}  {value:>{values}}" for name, value in rows)])


def _tell(config: Config, file: Path) -> None:
    print(
        f"\nLeft running. Flink's page: {config.flink.rest_url}   Kafka: {config.kafka.bootstrap_servers}\n"
        f"Use it: alerts --config {file} status\nStop it: alerts --config {file} down",
        file=sys.stderr,
    )


@contextmanager
def _interruptible() -> Iterator[None]:
    """Clean up as after Ctrl-C when told to end, or when the terminal closes."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
