"""The publisher with a Kafka in memory: order, commits, dead letters, pace."""

import json
import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition
from prometheus_client import CollectorRegistry

from account_alerts.config import Config, load
from account_alerts.records.codec import Codec
from ingest.capture import debezium
from ingest.capture.metrics import Metrics
from ingest.capture.publisher import Publisher, PublisherError
from tests.builders import entry, settings
from tests.clock import FakeClock
from tests.unit.ingest.capture.kafka_connect import FakeConsumer, FakeMessage
from tests.unit.ingest.fakes import FakeProducer

_NOW_MS = 1_764_061_200_000


class FakePositions:
    """Positions in memory."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, int], int] = {}

    def header(self, changes: str, partition: int, offset: int) -> tuple[str, bytes]:
        return "capture.position", f"{changes}:{partition}:{offset}".encode()

    def published(self, changes: str, records: str, partition: int) -> int:
        return self.newest.get((changes, partition), -1)


class Harness:
    """A publisher between a consumer and a producer in memory."""

    def __init__(self, records_per_second: int = 5_000) -> None:
        self.config = load(overrides={"capture": {"records_per_second": records_per_second}})
        capture = self.config.require("capture")
        self.settings, self.bookings = capture.topic(debezium.SETTINGS), capture.topic(debezium.BOOKINGS)
        topics = self.config.topics
        self.alert_settings, self.entries = topics.alert_settings.name, topics.account_entries.name
        self.dead_letters = topics.dead_letters.name
        self.kafka = FakeProducer(acknowledges=True)
        self.clock = FakeClock(_NOW_MS)
        self.pauses: list[float] = []
        self.stopped = threading.Event()
        self.consumer = FakeConsumer(self.kafka.events, self.stopped.set)
        self.consumer.assigned = [TopicPartition(self.settings, 0), TopicPartition(self.bookings, 0)]
        self.positions = FakePositions()
        self.registry = CollectorRegistry()

    def run(self, *batches: list[FakeMessage]) -> None:
        """Publish batches until there are no more."""
        self.consumer.batches.extend(batches)
        publisher = Publisher(
            self.config,
            self.consumer,  # type: ignore[arg-type]
            self.kafka,  # type: ignore[arg-type]
            self.positions,
            Metrics(self.registry),
            self.clock,
            self._sleep,
        )
        publisher.run(self.stopped)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def change(self, offset: int, customer: str = "c1", **fields: Any) -> FakeMessage:
        """Make a new version of a customer's settings."""
        row = {
            "customer_id": customer,
            "record": json.dumps(settings(customer, **fields)),
            "__op": "u",
            "__source_ts_ms": _NOW_MS - 40,
        }
        return FakeMessage(self.settings, offset, customer.encode(), json.dumps(row).encode())

    def booking(self, offset: int, **fields: Any) -> FakeMessage:
        """Make a new booking."""
        row = {
            **entry("e1", "a1"),
            "booked_at": "2025-11-25T09:00:00Z",
            "__op": "c",
            "__source_ts_ms": _NOW_MS,
        }
        return FakeMessage(self.bookings, offset, b"a1", json.dumps(row | fields).encode())

    def metric(self, name: str, topic: str) -> float | None:
        return self.registry.get_sample_value(f"account_alerts_publisher_{name}", {"topic": topic})


@pytest.fixture
def harness() -> Harness:
    return Harness()


def languages(harness: Harness) -> list[tuple[str, str | None]]:
    """List customers and the languages of their records as they were written; None is a tombstone."""
    return [
        (
            (record.key or b"").decode(),
            None if record.value is None else Codec().decode("AlertSettings", record.value)["language"],
        )
        for record in harness.kafka.to(harness.alert_settings)
    ]


def test_it_reads_the_changes_of_all_tables(harness: Harness) -> None:
    harness.run()
    assert set(harness.consumer.subscribed) >= {harness.settings, harness.bookings}


def test_records_of_a_customer_keep_their_order(harness: Harness) -> None:
    first = [harness.change(0, language="en"), harness.change(1, "c2"), harness.change(2, language="nl")]
    left = FakeMessage(harness.settings, 3, b"c1", None)
    harness.run(first, [left, harness.change(4, language="de")])
    assert [each for each in languages(harness) if each[0] == "c1"] == [
        ("c1", "en"),
        ("c1", "nl"),
        ("c1", None),
        ("c1", "de"),
    ]
    assert harness.metric("records_total", harness.alert_settings) == 5


def test_offsets_are_committed_after_kafkas_acknowledgement(harness: Harness) -> None:
    harness.run([harness.change(7), harness.booking(3)], [harness.change(8)])
    assert harness.kafka.events == [
        *(harness.alert_settings, harness.entries, "flushed", "committed"),
        *(harness.alert_settings, "flushed", "committed"),
        "closed",
    ]
    assert harness.consumer.committed == [
        {(harness.settings, 0): 8, (harness.bookings, 0): 4},
        {(harness.settings, 0): 9},
    ]


def test_kafka_is_waited_for(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    flush, waits = harness.kafka.flush, []

    def slow(timeout: float) -> int:
        waits.append(timeout)
        harness.kafka.acknowledges = len(waits) == 3
        return flush(timeout)

    harness.kafka.acknowledges = False
    monkeypatch.setattr(harness.kafka, "flush", slow)
    harness.run([harness.change(0)])
    assert len(waits) == 3
    assert harness.kafka.events[-2:] == ["committed", "closed"]


@pytest.mark.parametrize("topic", ["alert_settings", "dead_letters"])
def test_a_record_that_kafka_refuses_ends_it_without_a_commit(harness: Harness, topic: str) -> None:
    harness.kafka.errors = {getattr(harness, topic): KafkaError.TOPIC_AUTHORIZATION_FAILED}
    with pytest.raises(PublisherError, match="authorization"):
        harness.run([harness.change(0), FakeMessage(harness.settings, 1, b"c1", b"no JSON")])
    assert harness.consumer.committed == []
    assert harness.kafka.events[-1] == "closed"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"c1", b"no JSON", "the row is no JSON"),
        (b"c1", b"[]", "the row is no JSON object"),
        (None, b"{}", "no key"),
        (
            b"c2",
            json.dumps({"record": json.dumps(settings("c1"))}).encode(),
            "the key is not the customer_id",
        ),
        (b"c1", json.dumps({"record": '{"customer_id": "c1"}'}).encode(), "does not fit the schema"),
    ],
)
def test_an_unusable_change_is_a_dead_letter(
    harness: Harness, key: bytes | None, value: bytes, reason: str
) -> None:
    harness.run([FakeMessage(harness.settings, 5, key, value, partition=2), harness.change(6)])
    [letter] = harness.kafka.to(harness.dead_letters)
    assert (letter.key, letter.value) == (key, value)
    assert dict(letter.headers) == {
        "source.topic": harness.settings.encode(),
        "source.partition": b"2",
        "source.offset": b"5",
        "reason": reason.encode(),
    }
    # It stops nobody, and is not read again.
    assert languages(harness) == [("c1", "en")]
    assert harness.consumer.committed == [{(harness.settings, 2): 6, (harness.settings, 0): 7}]
    assert harness.kafka.events.index(harness.dead_letters) < harness.kafka.events.index("flushed")
    assert harness.metric("dead_letters_total", harness.settings) == 1


def test_dead_letters_are_counted_from_nothing_on(harness: Harness) -> None:
    harness.run([harness.change(0)])
    assert harness.metric("dead_letters_total", harness.settings) == 0


def test_a_record_too_large_for_its_topic_is_a_dead_letter_before_the_commit(harness: Harness) -> None:
    harness.kafka.errors = {harness.alert_settings: KafkaError.MSG_SIZE_TOO_LARGE}
    large = harness.change(0)
    harness.run([large], [harness.booking(0)])
    [letter] = harness.kafka.to(harness.dead_letters)
    assert letter.value == large.value()
    assert letter.header("reason") == "the record is larger than its topic takes"
    assert harness.kafka.events == [
        *(harness.alert_settings, "flushed", harness.dead_letters, "flushed", "committed"),
        *(harness.entries, "flushed", "committed", "closed"),
    ]


def test_what_was_published_before_is_not_written_again(harness: Harness) -> None:
    """An old version after a newer one would undo what the customer wants."""
    harness.positions.newest = {(harness.settings, 0): 4}
    harness.run([harness.change(offset, language=f"l{offset}") for offset in (3, 4, 5)])
    assert languages(harness) == [("c1", "l5")]
    assert harness.metric("skipped_changes_total", harness.alert_settings) == 2
    assert harness.consumer.committed == [{(harness.settings, 0): 6}]


def test_records_name_the_change_they_were_but_bookings_do_not(harness: Harness) -> None:
    harness.run([harness.change(9), harness.booking(3)])
    [record], [booking] = harness.kafka.to(harness.alert_settings), harness.kafka.to(harness.entries)
    assert record.header("capture.position") == f"{harness.settings}:0:9"
    assert booking.headers == ()
    assert Codec().decode("AccountEntry", booking.value or b"")["booked_at"] == _NOW_MS


def test_a_changed_booking_becomes_nothing(harness: Harness) -> None:
    harness.run([harness.booking(0, __op="u"), FakeMessage(harness.bookings, 1, b"a1", None)])
    assert not harness.kafka.written
    assert harness.metric("skipped_changes_total", harness.entries) == 2
    assert harness.consumer.committed == [{(harness.bookings, 0): 2}]


def test_it_writes_no_faster_than_configured() -> None:
    harness = Harness(records_per_second=100)
    batch = 10  # A tenth of a second's work, which may be done at once.
    harness.run(*([harness.change(turn * batch + each) for each in range(batch)] for turn in range(5)))
    assert sum(harness.pauses) == pytest.approx(0.4)
    assert len(harness.kafka.written) == 50


def test_the_latency_is_from_the_databases_commit(harness: Harness) -> None:
    harness.run([harness.change(0)])
    assert harness.metric("latency_seconds_sum", harness.alert_settings) == pytest.approx(0.04)


def test_an_error_that_passes_is_waited_out(harness: Harness) -> None:
    away = FakeMessage(harness.settings, 0, None, None, error=KafkaError._ALL_BROKERS_DOWN)
    harness.run([away], [harness.change(0)])
    assert harness.consumer.committed == [{(harness.settings, 0): 1}]


def test_a_fatal_error_of_the_consumer_ends_it(harness: Harness) -> None:
    fenced = FakeMessage(harness.settings, 0, None, None, error=KafkaError._FENCED, fatal=True)
    with pytest.raises(PublisherError, match="changes cannot be read"):
        harness.run([fenced])
    assert harness.consumer.committed == []
    assert harness.kafka.events == ["closed"]


def test_the_section_is_needed(harness: Harness) -> None:
    config: Config = harness.config.model_copy(update={"capture": None})
    with pytest.raises(Exception, match="has no section 'capture'"):
        Publisher(config, None, None, harness.positions, Metrics(CollectorRegistry()))  # type: ignore[arg-type]
