"""What the demo says at its end."""

from collections import Counter
from collections.abc import Container, Iterable
from statistics import quantiles
from typing import Any, TextIO

from account_alerts.model.alerts import Channel
from demo.watch import Watch
from operations.tables import print_table

_PERCENTS = (50, 95, 99)
_TOPICS = {
    Channel.EMAIL: "outbound-email",
    Channel.SMS: "outbound-sms",
    Channel.PUSH: "outbound-device-push",
}
_GATEWAY_NAMES = {Channel.EMAIL: "mailbox", Channel.SMS: "SMSC", Channel.PUSH: "push service"}


def summary(watch: Watch) -> dict[str, Any]:
    """Return the figures of the summary; latencies in milliseconds."""
    alerts = [each.alert for each in watch.raised.values()]
    return {
        "bookings": len(watch.put),
        "bookings_alerted": len({alert["entry_id"] for alert in alerts}),
        "alerts": len(alerts),
        "by_type": dict(sorted(Counter(alert["alert_type"] for alert in alerts).items())),
        "by_channel": dict(sorted(Counter(alert["channel"] for alert in alerts).items())),
        "messages": {channel.value: len(watch.messages.get(channel, {})) for channel in Channel},
        "missing": len(watch.wanted - watch.raised.keys())
        + sum(max(watch.messages_wanted(each) - len(watch.delivered(each)), 0) for each in Channel),
        "unexpected": len(watch.raised.keys() - watch.wanted)
        + sum(len(watch.messages.get(each, {})) - len(watch.delivered(each)) for each in Channel),
        "repeated_on_kafka": watch.repeats,
        "duplicates": watch.duplicates,
        "stages": stages(watch, watch.steady),
        "warm_up": {
            "reached": watch.warm,
            "bookings": len(watch.put) - len(watch.steady),
            "stages": stages(watch, watch.put.keys() - watch.steady),
        },
        "seconds_to_settings": round(watch.settings_seconds, 2),
        "seconds_to_first_alert": _seconds_to_first(
            watch, (each.written_at for each in watch.raised.values())
        ),
        "seconds_to_first_message": _seconds_to_first(
            watch, (item.arrived_at for found in watch.messages.values() for item in found.values())
        ),
    }


def stages(watch: Watch, entries: Container[str] | None = None) -> list[dict[str, Any]]:
    """How many came through each stage, and how fast: [{"stage", "count", "milliseconds": {"p50": ...}}].

    Args:
        watch: What came.
        entries: The bookings that are looked at; all without it.
    """

    def chosen(key: str) -> bool:
        return entries is None or key in entries

    raised = watch.raised
    booked = {key: at for key, at in watch.booked.items() if chosen(key)}
    alerts = [each for each in raised.values() if chosen(each.key[0])]
    pushes = [each for each in watch.for_devices.values() if chosen(each.key[0])]
    came = {
        channel: [found for found in watch.delivered(channel) if chosen(found[0].key[0])]
        for channel in Channel
    }
    return [
        _stage(
            "queue → account-entries", (at - watch.put[key] for key, at in booked.items() if key in watch.put)
        ),
        _stage(
            "account-entries → outbound-*", _since(booked, ((each.key, each.written_at) for each in alerts))
        ),
        _stage(
            "outbound-push → outbound-device-push",
            (each.written_at - raised[each.key].written_at for each in pushes if each.key in raised),
        ),
        *(
            _stage(
                f"{_TOPICS[channel]} → {_GATEWAY_NAMES[channel]}",
                (item.arrived_at - each.written_at for each, item in found),
            )
            for channel, found in came.items()
        ),
        *(
            _stage(
                f"account-entries → {_GATEWAY_NAMES[channel]}",
                _since(booked, ((each.key, item.arrived_at) for each, item in found)),
            )
            for channel, found in came.items()
        ),
        _stage(
            "queue → customer",
            _since(
                watch.put, ((each.key, item.arrived_at) for found in came.values() for each, item in found)
            ),
        ),
    ]


def _seconds_to_first(watch: Watch, times: Iterable[int]) -> float | None:
    first = min(times, default=None)
    return None if first is None else round((first - watch.started) / 1000, 1)


def _since(start: dict[str, int], reached: Iterable[tuple[Any, int]]) -> list[int]:
    return [at - start[key[0]] for key, at in reached if key[0] in start]


def _stage(name: str, waits: Iterable[int]) -> dict[str, Any]:
    found = sorted(waits)
    # The exact percentiles of what was measured, not an estimate of a population.
    cuts = quantiles(found, n=100, method="inclusive") if len(found) > 1 else [float(*found or [0])] * 99
    milliseconds = {f"p{percent}": round(cuts[percent - 1]) for percent in _PERCENTS}
    return {"stage": name, "count": len(found), "milliseconds": milliseconds}


def print_summary(report: dict[str, Any], out: TextIO | None = None) -> None:
    """Print the summary for people."""
    rows: list[tuple[str, object]] = [
        ("bookings", report["bookings"]),
        ("  that raised an alert", report["bookings_alerted"]),
        ("alerts", report["alerts"]),
        *((f"  {name}", count) for name, count in report["by_type"].items()),
        *((f"  by {name.lower()}", count) for name, count in report["by_channel"].items()),
        *((f"messages by {name.lower()}", count) for name, count in report["messages"].items()),
        ("missing", report["missing"]),
        ("unexpected", report["unexpected"]),
        ("duplicates", report["duplicates"]),
        ("preferences: commit to Kafka", f"{report['seconds_to_settings']} s"),
        ("start to first alert", f"{report['seconds_to_first_alert']} s"),
        ("start to first message", f"{report['seconds_to_first_message']} s"),
    ]
    print(file=out)
    print_table(("SUMMARY", ">"), rows, out)
    steady, warm_up = report["bookings"] - report["warm_up"]["bookings"], report["warm_up"]["bookings"]
    state = "STEADY STATE" if report["warm_up"]["reached"] else "NOT YET WARM, as the machine is busy"
    print(f"\n{state}: {steady} bookings, after the warm-up", file=out)
    print_stages(report["stages"], out)
    print(f"\nWARM-UP: the first {warm_up} bookings, while Java still compiles what it runs", file=out)
    print_stages(report["warm_up"]["stages"], out)


def print_stages(found: Iterable[dict[str, Any]], out: TextIO | None = None) -> None:
    """Print the stages for people."""
    columns = ("STAGE", ">COUNT", *(f">P{percent} MS" for percent in _PERCENTS))
    rows = ((each["stage"], each["count"], *each["milliseconds"].values()) for each in found)
    print_table(columns, rows, out)
