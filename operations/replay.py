"""Replays: a file's bookings are written to Kafka as if they happened now."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaError, Message

from account_alerts.config import Config
from account_alerts.kafka.clients import KafkaUnreachableError, producer, send
from account_alerts.records.codec import Record, codec
from account_alerts.service.clock import SYSTEM_CLOCK
from operations import booking_files

_PROGRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Progress:
    """Progress of a replay: bookings given to Kafka, all there are, and seconds since the first."""

    sent: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return the bookings per second so far."""
        return self.sent / self.seconds if self.seconds else 0.0


def replay(
    config: Config,
    file: Path | None = None,
    speed: float | None = None,
    *,
    limit: int | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Write the bookings of a file to their topic, in their order, each booked at the moment it is sent.

    Args:
        config: Where Kafka is, and the topic's name.
        file: See `booking_files.read`; without it the sample that the project carries.
        speed: Bookings per second; None for as many as go.
        limit: No more bookings than this.
        on_progress: Called every second, and at the end.

    Raises:
        BookingFileError: The file holds something else.
        KafkaUnreachableError: Kafka did not take all of them.
    """
    entries = booking_files.read(file or booking_files.BOOKINGS)[:limit]
    return send_entries(config, entries, speed, on_progress)


def send_entries(
    config: Config,
    entries: Iterable[Record],
    speed: float | None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_sent: Callable[[Record, Message], None] | None = None,
) -> Progress:
    """Write AccountEntry records as `replay` does; `on_sent` hears of each that Kafka has."""
    records = list(entries)
    encoder, topic = codec(config), config.topics.account_entries.name
    client = producer(config, **{"linger.ms": 0 if speed else 5})
    failed: list[KafkaError] = []
    start = shown = time.monotonic()
    for number, record in enumerate(records):
        if speed:
            # Poll while waiting: it also takes in what Kafka says about those sent before.
            while (wait := start + number / speed - time.monotonic()) > 0:
                client.poll(wait)
        value = {**record, "booked_at": SYSTEM_CLOCK.now_ms()}
        data = encoder.encode("AccountEntry", value, topic)

        def delivered(error: KafkaError | None, message: Message, value: Record = value) -> None:
            if error is not None:
                failed.append(error)
            elif on_sent is not None:
                on_sent(value, message)

        send(client, topic, str(record["account_id"]).encode(), data, delivered)
        if failed:
            break
        now = time.monotonic()
        if now - shown >= _PROGRESS_SECONDS:
            shown = now
            on_progress(Progress(number + 1, len(records), now - start))
    left = client.flush(30)
    if failed or left:
        reason = failed[0] if failed else "no answer"
        raise KafkaUnreachableError(f"topic {topic}: Kafka did not take all bookings: {reason}")
    done = Progress(len(records), len(records), time.monotonic() - start)
    on_progress(done)
    return done
