"""Reading to the end and writing, with a Kafka in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from account_alerts.config import PROJECT, Config, load
from account_alerts.kafka import clients
from account_alerts.kafka.clients import KafkaUnreachableError, read_to_end, send, send_all
from account_alerts.model.errors import ConfigError

TOPIC = "t"


class Record:
    """A message as confluent-kafka gives it: a record, or an error of a partition."""

    def __init__(self, partition: int, offset: int, error: KafkaError | None = None) -> None:
        self._partition, self.at, self._error = partition, offset, error

    def error(self) -> KafkaError | None:
        return self._error

    def partition(self) -> int:
        return self._partition


class FakeConsumer:
    """Partitions with so many records each; `answers` come before what the partitions have."""

    def __init__(self, sizes: dict[int, int], answers: list[Record | None]) -> None:
        self._sizes, self._answers = sizes, answers
        self._read: Iterator[Record] = iter(())
        self.closed = False

    def list_topics(self, topic: str, timeout: float) -> Any:
        class Found:
            error = None
            partitions = self._sizes

        return type("Listed", (), {"topics": {topic: Found}})

    def get_watermark_offsets(self, part: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, self._sizes[part.partition]

    def assign(self, parts: list[TopicPartition]) -> None:
        self._read = self._records(parts)

    def _records(self, parts: list[TopicPartition]) -> Iterator[Record]:
        for part in parts:
            first = 0 if part.offset == OFFSET_BEGINNING else part.offset
            yield from (
                Record(part.partition, offset) for offset in range(first, self._sizes[part.partition])
            )
            yield Record(part.partition, -1, KafkaError(KafkaError._PARTITION_EOF))

    def poll(self, timeout: float) -> Record | None:
        return self._answers.pop(0) if self._answers else next(self._read, None)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def config() -> Config:
    return load(PROJECT / "conf/local.yaml")


def reading(monkeypatch: pytest.MonkeyPatch, sizes: dict[int, int], *answers: Record | None) -> FakeConsumer:
    fake = FakeConsumer(sizes, list(answers))
    monkeypatch.setattr(clients, "consumer", lambda config, **options: fake)
    return fake


def places(messages: Iterator[Any]) -> list[tuple[int, int]]:
    return [(message.partition(), message.at) for message in messages]


def test_all_that_is_there_is_read_and_no_more(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    fake = reading(monkeypatch, {0: 2, 1: 0, 2: 1})
    assert places(read_to_end(config, TOPIC)) == [(0, 0), (0, 1), (2, 0)]
    assert fake.closed


def test_one_partition_from_shortly_before_its_end(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    reading(monkeypatch, {0: 9, 1: 5})
    assert places(read_to_end(config, TOPIC, 1, last=2)) == [(1, 3), (1, 4)]
    reading(monkeypatch, {0: 9, 1: 1})
    assert places(read_to_end(config, TOPIC, 1, last=2)) == [(1, 0)]


def test_what_passes_is_waited_out(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    passing = Record(0, -1, KafkaError(KafkaError._TRANSPORT, "away", retriable=True))
    reading(monkeypatch, {0: 1}, None, passing, None)
    assert places(read_to_end(config, TOPIC)) == [(0, 0)]


def test_what_does_not_pass_is_an_error(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    fake = reading(monkeypatch, {0: 1}, Record(0, -1, KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)))
    with pytest.raises(KafkaUnreachableError, match="topic t: "):
        list(read_to_end(config, TOPIC))
    assert fake.closed


def test_a_consumer_reads_committed_records_only(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    made: list[dict[str, Any]] = []
    monkeypatch.setattr(clients, "Consumer", made.append)
    clients.consumer(config, **{"isolation.level": "read_uncommitted"})
    assert made[0]["isolation.level"] == "read_committed"


def test_silence_ends_when_it_is_told_how_long(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    reading(monkeypatch, {0: 1}, None, None, None)
    with pytest.raises(KafkaUnreachableError, match="no answer within"):
        list(read_to_end(config, TOPIC, silence=-1))


class FakeProducer:
    """Takes records and says what Kafka said; its queue is full now and then."""

    def __init__(self, error: KafkaError | None = None, left: int = 0, full: int = 0) -> None:
        self._error, self._left, self._full = error, left, full
        self.records: list[tuple[Any, ...]] = []

    def produce(self, topic: str, value: Any, key: Any, on_delivery: Any = None, headers: Any = ()) -> None:
        if self._full:
            self._full -= 1
            raise BufferError
        self.records.append((topic, key, value, headers))
        if on_delivery is not None:
            on_delivery(self._error, None)

    def poll(self, timeout: float) -> None:
        pass

    def flush(self, timeout: float) -> int:
        return self._left


def test_a_full_queue_is_waited_for() -> None:
    fake = FakeProducer(full=3)
    send(fake, TOPIC, b"k", b"v", headers=[("h", b"1")])  # type: ignore[arg-type]
    assert fake.records == [(TOPIC, b"k", b"v", [("h", b"1")])]


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (FakeProducer(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)), "2 of 2 records were not written: "),
        (FakeProducer(left=1), "1 of 2 records were not written: no answer"),
    ],
)
def test_what_is_not_written_is_an_error(
    monkeypatch: pytest.MonkeyPatch, config: Config, fake: FakeProducer, said: str
) -> None:
    monkeypatch.setattr(clients, "producer", lambda config, **options: fake)
    with pytest.raises(KafkaUnreachableError, match=said):
        send_all(config, [(TOPIC, b"k", b"v"), (TOPIC, b"k", None)])


def test_all_records_are_written(monkeypatch: pytest.MonkeyPatch, config: Config) -> None:
    fake = FakeProducer()
    monkeypatch.setattr(clients, "producer", lambda config, **options: fake)
    assert send_all(config, [(TOPIC, b"k", b"v"), (TOPIC, b"k", None)]) == 2
    assert [value for _, _, value, _ in fake.records] == [b"v", None]


@pytest.mark.parametrize("make", [clients.producer, clients.consumer, clients.admin])
def test_client_that_cannot_be_made_names_the_section(
    make: Callable[[Config], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"ALERTS_KAFKA__{key}", "anything")
    monkeypatch.setenv(
        "ALERTS_KAFKA__LIBRDKAFKA_CLIENT", f'{{"ssl.ca.location": "{tmp_path / "absent.pem"}"}}'
    )
    config = load(PROJECT / "conf/production.yaml")
    with pytest.raises(ConfigError, match=r"kafka\.librdkafka_client: .*ssl\.ca\.location"):
        make(config)
