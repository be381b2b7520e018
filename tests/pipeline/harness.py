"""The running pipeline seen from outside: write any bytes to it, compare what comes out with the model.

Nothing of the product is used but its configuration and the schema files.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaError, Message, Producer, TopicPartition

from account_alerts.config import Config
from tests.builders import Record, authorization, entry, setting, settings
from tests.reference.binary import decode, encode
from tests.reference.compare import DeadLetter
from tests.reference.model import FREEDOM_MS, KafkaRecord, Topics

BARRIERS = 32
TIMEOUT = 300.0
"""Seconds after which a condition is taken for one that never holds; a busy machine takes its time."""


@dataclass(frozen=True)
class Observed:
    """An alert as it stands on its channel's topic; the timestamp is Kafka's, in milliseconds."""

    channel: str
    timestamp: int
    key: bytes | None
    record: Record


@dataclass(repr=False)  # Of thousands of records; pytest would write it out where a test fails.
class PipelineHarness:
    """Producer for the inputs, consumer of all outputs, and a memory of both."""

    config: Config
    records: list[KafkaRecord] = field(default_factory=list)
    alerts: list[Observed] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=lambda: ["barrier"])

    def __post_init__(self) -> None:
        """Connect, and see every output from here on."""
        names = self.config.topics
        self.topics = Topics(
            names.account_entries.name, names.account_authorizations.name, names.alert_settings.name
        )
        self._channels = {
            names.outbound_email.name: "EMAIL",
            names.outbound_sms.name: "SMS",
            names.outbound_push.name: "PUSH",
        }
        properties: dict[str, Any] = dict(self.config.kafka.librdkafka())
        self._producer = Producer(
            properties
            | {"partitioner": "murmur2_random", "acks": "all", "enable.idempotence": True, "linger.ms": 0}
        )
        self._consumer = Consumer(
            properties | {"group.id": "contract-tests", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
        )
        self._refused: list[KafkaError] = []
        self._newest = 0
        self._has_open_bookings = False
        self._barriers = 0
        self._watch([*self._channels, names.dead_letters.name])

    def _watch(self, topics: Iterable[str]) -> None:
        assignment = []
        for topic in topics:
            for number in self._consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                part = TopicPartition(topic, number)
                marks = self._consumer.get_watermark_offsets(part, 10)
                part.offset = OFFSET_END if marks is None else marks[1]
                assignment.append(part)
        self._consumer.assign(assignment)

    def close(self) -> None:
        """Disconnect."""
        self._producer.flush(10)
        self._consumer.close()

    def new_prefix(self) -> str:
        """Return a prefix of ids that nobody else uses."""
        self.prefixes.append(f"scenario{len(self.prefixes)}-{time.time_ns() % 10**9}")
        return self.prefixes[-1]

    def produce(self, topic: str, key: bytes | None, value: bytes | None, into: list[KafkaRecord]) -> None:
        """Write any bytes; the record is appended to `into` as soon as Kafka has it.

        A change is on another topic than the bookings before it: it does not overtake them, and is newer by
        Kafka's clock.
        """
        if topic == self.topics.entries:
            self._has_open_bookings = True
        elif self._has_open_bookings:
            self._await_kafka()
            while time.time() * 1000 < self._newest + 1:
                self._producer.poll(0.001)

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._refused.append(error)
                return
            place = message.topic() or "", message.partition() or 0, message.offset() or 0
            record = KafkaRecord(*place, message.timestamp()[1], key, value)
            into.append(record)
            self.records.append(record)
            self._newest = max(self._newest, record.timestamp)

        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=delivered)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def flush(self) -> None:
        """Wait until Kafka has all that was put, and what is put from now on is newer by Kafka's clock."""
        self._await_kafka()
        self.consume_until(lambda: time.time() * 1000 >= self._newest + 1)

    def _await_kafka(self) -> None:
        left = self._producer.flush(60)
        self._has_open_bookings = False
        assert not self._refused, f"Kafka refused {len(self._refused)} records: {self._refused[0]}"
        assert not left, f"Kafka did not take {left} records"

    def poll(self, seconds: float) -> None:
        """Take in what comes, for at most so long."""
        for message in self._consumer.consume(1000, max(seconds, 0.0)):
            assert message.error() is None, message.error()
            value = message.value()
            topic = message.topic() or ""
            if topic in self._channels:
                record = decode("OutboundAlert", value)
                if record is None:
                    self.broken.append(f"{topic} {message.partition()}:{message.offset()}: {value!r}")
                    continue
                self.alerts.append(
                    Observed(self._channels[topic], message.timestamp()[1], message.key(), record)
                )
            else:
                self.dead_letters.append(_dead_letter(message))

    def consume_until(self, condition: Callable[[], bool], timeout: float = TIMEOUT) -> bool:
        """Take in what comes until the condition holds; False when it does not in time."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.poll(min(0.1, deadline - time.monotonic()))
        return True

    def consume_until_time(self, until: float) -> None:
        """Take in what comes until a moment of `time.monotonic()`."""
        while (left := until - time.monotonic()) > 0:
            self.poll(min(0.1, left))

    def prepare_barriers(self) -> None:
        """Accounts whose alerts show that what was written before their bookings has been worked on.

        There are many, so that every partition and every parallel part of the job has some.
        """
        sink: list[KafkaRecord] = []
        for number in range(BARRIERS):
            value = encode("AccountAuthorization", authorization(f"barrier-{number}", "barrier"))
            self.produce(self.topics.authorizations, f"barrier-{number}".encode(), value, sink)
        wanted = [
            setting(f"barrier-{number}", f"barrier-{number}", channels=["PUSH"]) for number in range(BARRIERS)
        ]
        self.produce(
            self.topics.settings, b"barrier", encode("AlertSettings", settings("barrier", *wanted)), sink
        )
        self.flush()
        self.await_effect(sink)

    def verify_nothing_else_came(self) -> None:
        """Fail on an alert whose booking nobody wrote: broken bytes were taken for a booking."""
        assert self.consume_until(self.barrier()), "the pipeline does not run any more"
        booked = {
            found["entry_id"]
            for record in self.records
            if record.topic == self.topics.entries
            and (found := decode("AccountEntry", record.value)) is not None
        }
        prefixes = tuple(f"{prefix}-" for prefix in self.prefixes)
        ids = {observed.record["entry_id"] for observed in self.alerts}
        assert ids
        assert not {entry_id for entry_id in ids - booked if not entry_id.startswith(prefixes)}
        assert not self.broken

    def barrier(self) -> Callable[[], bool]:
        """Write a booking to every barrier; the result says whether all of them were alerted."""
        self._barriers += 1
        ids = {f"barrier-{self._barriers}-{time.time_ns()}-{number}" for number in range(BARRIERS)}
        # Before the bookings are written: their alerts may come while Kafka is waited for.
        start, open_ids = [len(self.alerts)], set(ids)
        for number, entry_id in enumerate(sorted(ids)):
            value = encode("AccountEntry", entry(entry_id, f"barrier-{number}"))
            self.produce(self.topics.entries, f"barrier-{number}".encode(), value, [])
        self.flush()

        def passed() -> bool:
            for observed in self.alerts[start[0] :]:
                open_ids.discard(observed.record["entry_id"])
            start[0] = len(self.alerts)
            return not open_ids

        return passed

    def await_effect(self, records: Sequence[KafkaRecord]) -> None:
        """Wait until a booking written now comes 1 s after each change, and so must use it."""
        changes = [record.timestamp for record in records if record.topic != self.topics.entries]
        certain = (max(changes, default=0) + FREEDOM_MS + 50) / 1000
        self.consume_until(lambda: time.time() >= certain)


def _dead_letter(message: Message) -> DeadLetter:
    given = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    headers = {name: (value or b"").decode() for name, value in given}
    source = headers["source.topic"], int(headers["source.partition"]), int(headers["source.offset"])
    return DeadLetter(source, message.key(), message.value(), headers["reason"], tuple(headers.items()))
