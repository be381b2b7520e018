"""The bridge's way to Kafka: bookings and dead letters, and which messages are wholly there."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException
from proton import Delivery

from account_alerts.config import LARGEST_RECORD, Config
from account_alerts.kafka.clients import producer, send
from account_alerts.records.codec import CodecError, Record, codec
from ingest.bridge import metrics
from ingest.formats.parsed import Reading

_LOG = logging.getLogger(__name__)
_LINGER_MS = 5
"""A booking waits so long at most for others that Kafka gets with it."""
_LARGEST_BOOKING = 900_000
"""Bytes; Kafka's own limit for a record of `account-entries` is 1 MiB."""
_REFUSED = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})
_LONGEST_REASON = 10_000


class InHand:
    """A message that was taken from the queue and is not settled."""

    __slots__ = ("before", "connection", "delivery", "refused", "taken", "text", "waiting")

    def __init__(self, delivery: Delivery, connection: int, text: bytes, before: int) -> None:
        self.delivery = delivery
        self.before = before
        """How often it was delivered before, as the broker counts."""
        self.connection = connection
        """Which of the process's connections it came by."""
        self.text = text
        self.taken = time.monotonic()
        self.waiting = 0
        """Records that Kafka has not acknowledged."""
        self.refused: str | None = None


class ToKafka:
    """Writes what messages hold; a message is in `done` when Kafka has all of it."""

    def __init__(self, config: Config, queue: str) -> None:
        """Connect; `queue` is where the messages come from, as dead letters say it."""
        self._queue = queue
        self._entries = config.topics.account_entries.name
        self._dead = config.topics.dead_letters.name
        self._codec = codec(config)
        # No time-out: a booking waits for Kafka as long as it takes.
        self._producer = producer(config, **{"message.timeout.ms": 0, "linger.ms": _LINGER_MS})
        self.done: list[InHand] = []
        self.failure: str | None = None
        """Why Kafka takes nothing, such as without the right to write."""

    def poll(self) -> None:
        """Hear what Kafka has acknowledged."""
        self._producer.poll(0)

    def wait_until_there(self, stopped: Callable[[], bool]) -> bool:
        """Whether the topics are there; False if it was stopped first."""
        told = False
        while not stopped():
            try:
                topics = self._producer.list_topics(timeout=1).topics
                if all(name in topics and topics[name].error is None for name in (self._entries, self._dead)):
                    return True
                problem = f"topics {self._entries}, {self._dead} are not there"
            except KafkaException as error:
                problem = str(error)
            if not told:
                told = True
                _LOG.warning("waits for Kafka: %s", problem)
            time.sleep(0.2)
        return False

    def forward(self, taken: InHand, reading: Reading) -> None:
        """Hand over what was read of a message: its bookings, and as a dead letter what is none."""
        for booking in reading.bookings:
            try:
                value = self._codec.encode("AccountEntry", booking, self._entries, check=False)
            except CodecError:
                reading.faults.append("a text that is not Unicode")
                continue
            if len(value) > _LARGEST_BOOKING:
                reading.faults.append(f"a booking longer than {_LARGEST_BOOKING} bytes")
                continue
            self._book(taken, booking, value)
        if reading.skipped:
            metrics.SKIPPED.inc(reading.skipped)
        if reading.faults:
            self.dead_letter(taken, "; ".join(reading.faults))

    def _book(self, taken: InHand, booking: Record, value: bytes) -> None:
        def delivered(error: KafkaError | None, _: object) -> None:
            if error is None:
                metrics.BOOKINGS.inc()
            elif error.code() in _REFUSED:
                taken.refused = str(error)
            else:
                self.failure = f"{self._entries}: {error}"
            self.acknowledged(taken)

        taken.waiting += 1
        send(self._producer, self._entries, str(booking["account_id"]).encode(), value, delivered)

    def dead_letter(self, taken: InHand, reason: str) -> None:
        """Keep a whole message, with the reason why it, or a part of it, is no booking."""
        if len(taken.text) > LARGEST_RECORD // 2:
            taken.refused = reason  # Kafka cannot hold it: the broker's own dead letters do.
            return

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is None:
                metrics.DEAD_LETTERS.inc()
            elif error.code() in _REFUSED:
                taken.refused = reason
            else:
                self.failure = f"{self._dead}: {error}"
            self.acknowledged(taken)

        taken.waiting += 1
        headers: list[tuple[str, str | bytes | None]] = [
            ("source.topic", self._queue.encode()),
            ("source.partition", b"0"),
            ("source.offset", str(taken.before).encode()),
            ("reason", reason[:_LONGEST_REASON].encode()),
        ]
        while True:
            try:
                self._producer.produce(self._dead, taken.text, None, headers=headers, on_delivery=delivered)
                return
            except BufferError:
                self._producer.poll(0.1)

    def acknowledged(self, taken: InHand) -> None:
        """One of the records that a message waits for is on Kafka; with the last, the message is done."""
        taken.waiting -= 1
        if not taken.waiting:
            self.done.append(taken)
