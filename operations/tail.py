"""Follows the alerts on their topics."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TIMESTAMP_NOT_AVAILABLE, Message

from account_alerts.config import Config
from account_alerts.kafka.clients import KafkaUnreachableError, consumer, partitions
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import CodecError, Record, codec
from delivery.rendering.render import render_text

CHANNELS = tuple(channel.lower() for channel in Channel)
"""As the command line and the configuration's keys write them."""
_SHOWN_WAIT_MS = 600_000


@dataclass(frozen=True)
class Arrival:
    """An alert as it stands on its channel's topic; times in milliseconds UTC."""

    channel: str
    written_at: int
    alert: Record

    @property
    def milliseconds(self) -> int | None:
        """Return the time from booking to alert; None where the booking is so old that it says nothing."""
        waited: int = self.written_at - self.alert["booked_at"]
        return waited if 0 <= waited <= _SHOWN_WAIT_MS else None

    def line(self) -> str:
        """Return one line: when, which channel, how long after the booking, what the customer reads."""
        at = datetime.fromtimestamp(self.written_at / 1000, UTC)
        waited = "" if self.milliseconds is None else f"{self.milliseconds} ms"
        rendered = render_text(self.alert, self.alert["language"])
        text = " ".join([*rendered.sentences, *rendered.others])
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {self.channel:5} {waited:>8}  {text}"

    def as_dict(self) -> Record:
        """Return the alert, its channel and times, as `--json` prints them."""
        times = {"written_at": self.written_at, "milliseconds": self.milliseconds}
        return {"channel": self.channel, **times, "alert": self.alert}


def tail(
    config: Config,
    channel: str = "all",
    *,
    from_beginning: bool = False,
    on_ready: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
    on_broken: Callable[[str], None] = lambda text: None,
) -> Iterator[Arrival]:
    """Yield the alerts on a channel (`email`, `sms`, `push`) or `all`, as they come, until `stop` says so.

    Args:
        config: Where Kafka is, and the topics' names.
        channel: Whose topic.
        from_beginning: The alerts that are there already, too.
        on_ready: Called once when no alert written from now on is missed.
        stop: Asked at least every tenth of a second.
        on_broken: Called with position and reason of a record that is no alert.

    Raises:
        ValueError: No such channel.
        KafkaUnreachableError: Kafka does not answer, or a topic is not there.
    """
    if channel not in (*CHANNELS, "all"):
        raise ValueError(f"{channel!r} is no channel: take {', '.join(CHANNELS)} or all")
    names = CHANNELS if channel == "all" else (channel,)
    topics = {config.topics.all()[f"outbound_{name}"].name: name for name in names}
    decoder = codec(config)
    for record in follow(config, topics, from_beginning=from_beginning, on_ready=on_ready, stop=stop):
        kind, written_at = record.timestamp()
        try:
            alert = decoder.decode("OutboundAlert", record.value() or b"")
        except CodecError as broken:
            on_broken(f"{record.topic()}, {record.partition()}:{record.offset()}: {broken}")
            continue
        if kind == TIMESTAMP_NOT_AVAILABLE:
            written_at = alert["raised_at"]
        yield Arrival(topics[record.topic() or ""], written_at, alert)


def follow(
    config: Config,
    topics: Iterable[str],
    *,
    from_beginning: bool = False,
    on_ready: Callable[[], None] = lambda: None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Message]:
    """Yield the records of topics as they come, until `stop` says so; the arguments are those of `tail`.

    Raises:
        KafkaUnreachableError: Kafka does not answer, or a topic is not there.
    """
    client = consumer(config)
    try:
        assignment = [part for topic in topics for part in partitions(client, topic)]
        for part in assignment:
            # An offset instead of "the end": what is written while the consumer starts is not missed.
            end = OFFSET_BEGINNING if from_beginning else client.get_watermark_offsets(part, 10)[1]
            part.offset = OFFSET_END if end is None else end
        client.assign(assignment)
        on_ready()
        while not stop():
            record = client.poll(0.1)
            if record is None:
                continue
            error = record.error()
            if error is not None:
                if error.fatal() or not error.retriable():
                    raise KafkaUnreachableError(f"topic {record.topic()}: {error}")
                continue
            yield record
    finally:
        client.close()
