"""Reading the profiles' topics: the newest of each key, from where the database stands."""

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import CollectorRegistry

from delivery.profiles.consumer import ProfileConsumer
from delivery.profiles.records import Batch, ProfileRow, Table
from tests import builders
from tests.unit.delivery.alerts import CODEC

SETTINGS, ACCESS = "alert-settings", "account-authorizations"
TABLES: dict[str, Table] = {SETTINGS: "profiles", ACCESS: "account_access"}
FATAL = KafkaError(KafkaError._FATAL, "fenced", fatal=True)


class FakeMessage:
    """A record, or an error in place of one."""

    def __init__(
        self, topic: str, offset: int, key: bytes, value: bytes | None, error: KafkaError | None = None
    ) -> None:
        self._topic, self._offset, self._key, self._value, self._error = topic, offset, key, value, error

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def error(self) -> KafkaError | None:
        return self._error


class FakeStore:
    """Tables in memory."""

    def __init__(self, known: dict[tuple[str, int], int] | None = None) -> None:
        self.known = known or {}
        self.applied: list[tuple[Table, str, int, Sequence[ProfileRow], int]] = []
        self.restarted: list[tuple[str, int]] = []
        self.available = True

    def progress(self) -> dict[tuple[str, int], int]:
        return self.known

    def restart(self, topic: str, partition: int) -> None:
        self.restarted.append((topic, partition))

    def apply(self, table: Table, topic: str, partition: int, batch: Batch) -> bool:
        if self.available:
            self.applied.append((table, topic, partition, batch.since(0), batch.next_offset))
        return self.available


class FakeConsumer:
    """A consumer whose partitions hold offsets 3 to 10."""

    def __init__(self) -> None:
        self.assigned: list[TopicPartition] = []
        self.closed = False

    def subscribe(self, topics: list[str], on_assign: Any) -> None:
        self.topics, self.on_assign = topics, on_assign

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        return 3, 10

    def assign(self, parts: list[TopicPartition]) -> None:
        self.assigned = parts

    def close(self) -> None:
        self.closed = True


def settings(offset: int, customer: str, value: bytes | str | None = "") -> FakeMessage:
    if value == "":
        value = CODEC.encode("AlertSettings", builders.settings(customer), SETTINGS)
    assert not isinstance(value, str)
    return FakeMessage(SETTINGS, offset, customer.encode(), value)


class Own:
    """A consumer of profiles with its surroundings."""

    def __init__(self, known: dict[tuple[str, int], int] | None = None) -> None:
        self.store, self.registry, self.stop = FakeStore(known), CollectorRegistry(), threading.Event()
        self.consumer = ProfileConsumer(TABLES, CODEC, self.store, self.registry, self.stop)

    def apply(self, *messages: FakeMessage) -> None:
        self.consumer.apply([cast(Message, message) for message in messages])

    def count(self, name: str, topic: str = SETTINGS) -> float | None:
        return self.registry.get_sample_value(f"account_alerts_profiles_{name}", {"topic": topic})


def test_the_newest_record_of_a_key_is_applied_with_the_next_offset() -> None:
    own = Own()
    own.apply(settings(4, "c1"), settings(5, "c2"), settings(6, "c1", None))
    [(table, topic, partition, rows, next_offset)] = own.store.applied
    assert (table, topic, partition, next_offset) == ("profiles", SETTINGS, 0, 7)
    assert {row.key: row.row is None for row in rows} == {"c1": True, "c2": False}
    assert own.count("applied_records_total") == 2


def test_each_topic_goes_to_its_table() -> None:
    own = Own()
    access = CODEC.encode("AccountAuthorization", builders.authorization("a1", "c1"), ACCESS)
    own.apply(settings(0, "c1"), FakeMessage(ACCESS, 8, b"a1", access))
    assert [(table, next_offset) for table, _, _, _, next_offset in own.store.applied] == [
        ("profiles", 1),
        ("account_access", 9),
    ]


def test_an_invalid_record_is_skipped_and_counted_and_the_last_good_one_stays() -> None:
    own = Own()
    own.apply(settings(4, "c1"), settings(5, "c1", b"garbage"))
    [(_, _, _, [row], next_offset)] = own.store.applied
    assert (row.key, row.row is None, next_offset) == ("c1", False, 6)
    assert own.count("invalid_records_total") == 1


def test_the_end_of_a_partition_without_records_is_progress() -> None:
    own = Own()
    own.apply(FakeMessage(SETTINGS, 9, b"", None, KafkaError(KafkaError._PARTITION_EOF)))
    assert own.store.applied == [("profiles", SETTINGS, 0, [], 9)]


def test_a_passing_error_is_no_record_and_a_fatal_one_ends_the_process() -> None:
    own = Own()
    own.apply(FakeMessage(SETTINGS, 0, b"", None, KafkaError(KafkaError._TRANSPORT)))
    assert own.store.applied == []
    with pytest.raises(KafkaException):
        own.apply(FakeMessage(SETTINGS, 0, b"", None, FATAL))


def test_what_the_store_did_not_take_is_not_counted() -> None:
    own = Own()
    own.store.available = False
    own.apply(settings(4, "c1"))
    assert own.count("applied_records_total") == 0


@pytest.mark.parametrize(
    ("known", "start", "restarted"),
    [
        ({}, 3, False),
        ({(SETTINGS, 0): 7}, 7, False),
        ({(SETTINGS, 0): 10}, 10, False),
        ({(SETTINGS, 0): 11}, 3, True),  # The topic was made anew.
    ],
)
def test_reading_goes_on_from_where_the_database_stands(
    known: dict[tuple[str, int], int], start: int, restarted: bool
) -> None:
    own, client = Own(known), FakeConsumer()
    own.stop.set()
    own.consumer.run(cast(Consumer, client))
    client.on_assign(client, [TopicPartition(SETTINGS, 0)])
    assert [part.offset for part in client.assigned] == [start]
    assert own.store.restarted == ([(SETTINGS, 0)] if restarted else [])
    assert sorted(client.topics) == sorted(TABLES)
    assert client.closed


def test_stopped_while_the_registry_is_away_nothing_is_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    own, client = Own(), FakeConsumer()

    def away(*_: object) -> None:
        own.stop.set()
        raise ConnectionError("the registry is away")

    monkeypatch.setattr("delivery.profiles.consumer.parse", away)
    monkeypatch.setattr(client, "poll", lambda _: settings(4, "c1"), raising=False)
    monkeypatch.setattr(client, "consume", lambda *_, **__: [], raising=False)
    own.consumer.run(cast(Consumer, client))
    assert own.store.applied == []
    assert client.closed
