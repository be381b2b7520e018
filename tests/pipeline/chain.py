"""The running chain seen from outside: write any bytes to its input, compare what comes out with the model.

Nothing of the product is used but its configuration and the schema files.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from confluent_kafka import OFFSET_END, Consumer, KafkaError, Message, Producer, TopicPartition

from account_alerts.config import Config
from tests.builders import Record, authorization, entry, setting, settings
from tests.reference.binary import decode, encode
from tests.reference.compare import DeadLetter, Difference, as_alert, compare
from tests.reference.model import FREEDOM_MS, Expected, KafkaRecord, Topics, expect

FENCES = 32
TIMEOUT = 60.0


@dataclass(frozen=True)
class Observed:
    """An alert as it stands on its channel's topic; the timestamp is Kafka's, in milliseconds."""

    channel: str
    timestamp: int
    key: bytes | None
    record: Record


@dataclass
class Chain:
    """Producer for the inputs, consumer of all outputs, and a memory of both."""

    config: Config
    records: list[KafkaRecord] = field(default_factory=list)
    alerts: list[Observed] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=lambda: ["fence"])

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
        self._fences = 0
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

    def case(self) -> "Case":
        """A test's own part of the world: nobody else uses its ids."""
        self.prefixes.append(f"case{len(self.prefixes)}-{time.time_ns() % 10**9}")
        return Case(self, self.prefixes[-1])

    def put(self, topic: str, key: bytes | None, value: bytes | None, into: list[KafkaRecord]) -> None:
        """Write any bytes; the record is appended to `into` as soon as Kafka has it."""

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
        left = self._producer.flush(60)
        assert not self._refused, f"Kafka refused {len(self._refused)} records: {self._refused[0]}"
        assert not left, f"Kafka did not take {left} records"
        self.until(lambda: time.time() * 1000 >= self._newest + 1)

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

    def until(self, condition: Callable[[], bool], timeout: float = TIMEOUT) -> bool:
        """Take in what comes until the condition holds; False when it does not in time."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.poll(min(0.1, deadline - time.monotonic()))
        return True

    def pause(self, until: float) -> None:
        """Take in what comes until a moment of `time.monotonic()`."""
        while (left := until - time.monotonic()) > 0:
            self.poll(min(0.1, left))

    def prepare_fences(self) -> None:
        """Accounts whose alerts show that what was written before their bookings has been worked on.

        There are many, so that every partition and every parallel part of the job has some.
        """
        sink: list[KafkaRecord] = []
        for number in range(FENCES):
            value = encode("AccountAuthorization", authorization(f"fence-{number}", "fence"))
            self.put(self.topics.authorizations, f"fence-{number}".encode(), value, sink)
        wanted = [
            setting(f"fence-{number}", f"fence-{number}", channels=["PUSH"]) for number in range(FENCES)
        ]
        self.put(self.topics.settings, b"fence", encode("AlertSettings", settings("fence", *wanted)), sink)
        self.flush()
        self.settle(sink)

    def fence(self) -> Callable[[], bool]:
        """Write a booking to every fence; the result says whether all of them were alerted."""
        self._fences += 1
        ids = {f"fence-{self._fences}-{time.time_ns()}-{number}" for number in range(FENCES)}
        # Before the bookings are written: their alerts may come while Kafka is waited for.
        start, open_ids = [len(self.alerts)], set(ids)
        for number, entry_id in enumerate(sorted(ids)):
            value = encode("AccountEntry", entry(entry_id, f"fence-{number}"))
            self.put(self.topics.entries, f"fence-{number}".encode(), value, [])
        self.flush()

        def passed() -> bool:
            for observed in self.alerts[start[0] :]:
                open_ids.discard(observed.record["entry_id"])
            start[0] = len(self.alerts)
            return not open_ids

        return passed

    def settle(self, records: Sequence[KafkaRecord]) -> None:
        """Wait until a booking written now comes 1 s after each change, and so must use it."""
        changes = [record.timestamp for record in records if record.topic != self.topics.entries]
        certain = (max(changes, default=0) + FREEDOM_MS + 50) / 1000
        self.until(lambda: time.time() >= certain)


@dataclass
class Case:
    """One test's records, under ids of its own."""

    chain: Chain
    prefix: str
    records: list[KafkaRecord] = field(default_factory=list)
    _serial: int = 0

    def id(self, name: str) -> str:
        """An id that no other test has."""
        return f"{self.prefix}-{name}"

    def fork(self) -> "Case":
        """A case with the same rules, and bookings of its own on the same accounts."""
        return replace(self.chain.case(), records=list(self.records))

    def next_id(self) -> str:
        """An id for the next booking."""
        self._serial += 1
        return self.id(f"e{self._serial}")

    def put(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Write any bytes."""
        self.chain.put(topic, key, value, self.records)

    def book(self, record: Record) -> None:
        """Write a booking."""
        self.put(self.chain.topics.entries, record["account_id"].encode(), encode("AccountEntry", record))

    def poison(self, key: bytes | None, value: bytes | None) -> None:
        """Write bytes that are no booking."""
        self.put(self.chain.topics.entries, key, value)

    def authorize(self, account_id: str, *customers: str) -> None:
        """Say who may see an account; nobody leaves a tombstone."""
        value = encode("AccountAuthorization", authorization(account_id, *customers)) if customers else None
        self.put(self.chain.topics.authorizations, account_id.encode(), value)

    def ask(self, record: Record) -> None:
        """Write a customer's settings."""
        key = record["customer_id"].encode()
        self.put(self.chain.topics.settings, key, encode("AlertSettings", record))

    def forget(self, customer_id: str) -> None:
        """Write a tombstone for a customer's settings."""
        self.put(self.chain.topics.settings, customer_id.encode(), None)

    def settle(self) -> None:
        """Make sure that the changes so far count for what is booked from now on."""
        self.chain.flush()
        self.chain.settle(self.records)

    def alerts(self) -> list[Observed]:
        """What came for this test's bookings and accounts, repeats included."""
        return [each for each in self.chain.alerts if self._mine(each)]

    def dead_letters(self) -> list[DeadLetter]:
        """Dead letters of this test's records."""
        sources = {record.source for record in self.records}
        return [letter for letter in self.chain.dead_letters if letter.source in sources]

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
        """Take in what comes until the condition holds, and fail when it does not in time."""
        assert self.chain.until(condition, timeout), f"not within {timeout:.0f} s: {what}"

    def verify(self, timeout: float = TIMEOUT) -> Expected:
        """Wait for all that must come, and fail with what is missing, or came though it must not."""
        chain = self.chain
        chain.flush()
        expected = expect(self.records, chain.topics)
        fence = chain.fence()
        seen_alerts, seen_letters = [0], [0]
        missing, letters = set(expected.certain), set(expected.dead_letters)

        def complete() -> bool:
            for observed in chain.alerts[seen_alerts[0] :]:
                missing.discard(as_alert(observed.record))
            for letter in chain.dead_letters[seen_letters[0] :]:
                letters.discard(letter.source)
            seen_alerts[0], seen_letters[0] = len(chain.alerts), len(chain.dead_letters)
            return fence() and not missing and not letters

        in_time = chain.until(complete, timeout)
        difference = self.difference(expected)
        assert not difference, f"the chain is not what the contract says:\n{difference}"
        assert in_time, f"the bookings written last were not alerted within {timeout:.0f} s"
        assert not chain.broken, f"not an OutboundAlert: {chain.broken}"
        return expected

    def difference(self, expected: Expected) -> Difference:
        """Compare what came so far."""
        alerts = [(observed.channel, observed.record) for observed in self.alerts()]
        return compare(expected, alerts, self.dead_letters())

    def latencies(self) -> list[int]:
        """Milliseconds on Kafka's clock from each booking to its alerts, in the order they came."""
        booked = {
            found["entry_id"]: record.timestamp
            for record in self.records
            if record.topic == self.chain.topics.entries
            and (found := decode("AccountEntry", record.value)) is not None
        }
        return [each.timestamp - booked[each.record["entry_id"]] for each in self.alerts()]

    def _mine(self, observed: Observed) -> bool:
        record = observed.record
        fields = record["account_id"], record["customer_id"], record["entry_id"]
        return any(value.startswith(f"{self.prefix}-") for value in fields)


def _dead_letter(message: Message) -> DeadLetter:
    given = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    headers = {name: (value or b"").decode() for name, value in given}
    source = headers["source.topic"], int(headers["source.partition"]), int(headers["source.offset"])
    return DeadLetter(source, message.key(), message.value(), headers["reason"])
