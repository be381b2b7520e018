"""The plots of the last hour, as JSON: columns of equal length, minute by minute.

What a source does not say any more is left out, as in the picture; a plot then ends before now.
"""

from typing import Any

from account_alerts.config import Config
from account_alerts.model.alerts import Channel
from web.operator.picture import FRESH_MS
from web.operator.readings import Readings

_MINUTE_MS = 60_000
_MINUTES = 60


def plots(config: Config, readings: Readings, now: int) -> dict[str, Any]:
    """Return the columns; times are seconds UTC, as uPlot takes them.

    The minute that is under way is left out: it would look like a fall. `None` is a minute of which nothing
    is known.

    Args:
        config: The topics' names.
        readings: What was read.
        now: Milliseconds UTC.
    """
    last = now // _MINUTE_MS * _MINUTE_MS - _MINUTE_MS
    minutes = [last - back * _MINUTE_MS for back in range(_MINUTES - 1, -1, -1)]
    ledger = readings.ledger.value if readings.ledger else None
    alerts_until = readings.ledger.at if readings.ledger else 0
    kafka, kafka_until = readings.kafka.value, readings.kafka.at
    jobs = readings.jobs.value or ()
    types = sorted({kind for counts in (ledger.minutes if ledger else {}).values() for _, kind in counts})

    def alerts(channel: str | None = None, kind: str | None = None) -> list[int | None]:
        return [
            None
            if ledger is None or minute + _MINUTE_MS > alerts_until
            else sum(
                count
                for (of_channel, of_type), count in ledger.minutes.get(minute, {}).items()
                if channel in (None, of_channel) and kind in (None, of_type)
            )
            for minute in minutes
        ]

    def records(topic: str) -> list[int | None]:
        counts = kafka.minutes.get(topic, {}) if kafka else {}
        return [None if minute + _MINUTE_MS > kafka_until else counts.get(minute) for minute in minutes]

    return {
        "minutes": [minute // 1000 for minute in minutes],
        "channels": {channel.value: alerts(channel=channel.value) for channel in Channel},
        "types": {kind: alerts(kind=kind) for kind in types},
        "bookings": records(config.topics.account_entries.name),
        "dead_letters": records(config.topics.dead_letters.name),
        "checkpoints": [
            {"job": job.name, "at": checkpoint.at // 1000, "duration": checkpoint.duration}
            for job in jobs
            for checkpoint in job.checkpoints
            if checkpoint.at >= minutes[0]
        ],
        "restarts": [
            {"job": job.name, "at": at // 1000} for job in jobs for at in job.failures if at >= minutes[0]
        ],
        "old": [
            name
            for name, reading in (
                ("alerts", readings.ledger),
                ("bookings", readings.kafka),
                ("jobs", readings.jobs),
            )
            if reading is not None and now - reading.at > FRESH_MS
        ],
    }
