"""Reading a topic in a thread: what was not processed is not committed, and a full queue takes no more."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from account_alerts.config import PROJECT, load
from delivery.worker import alert_consumer
from delivery.worker.alert_consumer import AlertConsumer
from tests.unit.delivery.fakes import run

CONFIG = load(PROJECT / "conf/local.yaml")
FATAL = KafkaError(KafkaError._FATAL, "fenced", fatal=True)


class FakeMessage:
    """A record, or an error in place of one."""

    def __init__(self, offset: int, error: KafkaError | None = None) -> None:
        self._offset, self._error = offset, error

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000 + self._offset

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def error(self) -> KafkaError | None:
        return self._error


class FakeClient:
    """A consumer that gives each message once; `on_empty` is called when there is none left."""

    def __init__(self, *messages: FakeMessage) -> None:
        self.messages = list(messages)
        self.options: dict[str, Any] = {}
        self.stored: list[int] = []
        self.calls: list[str] = []
        self.revoked = False
        self.on_empty: Callable[[], None] = lambda: None

    def subscribe(self, topics: list[str]) -> None:
        self.calls.append(f"subscribe {topics}")

    def poll(self, _: float) -> FakeMessage | None:
        if not self.messages:
            self.on_empty()
            return None
        return self.messages.pop(0)

    def consume(self, count: int, timeout: float) -> list[FakeMessage]:
        taken, self.messages = self.messages[:count], self.messages[count:]
        return taken

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition("t", 0)]

    def position(self, _: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition("t", 0, 5)]

    def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
        return 0, 25

    def store_offsets(self, offsets: list[TopicPartition]) -> None:
        if self.revoked:
            raise KafkaException(KafkaError(KafkaError._STATE))
        self.stored += [part.offset for part in offsets]

    def pause(self, _: list[TopicPartition]) -> None:
        self.calls.append("pause")

    def resume(self, _: list[TopicPartition]) -> None:
        self.calls.append("resume")

    def close(self) -> None:
        self.calls.append("close")


def new_consumer(
    monkeypatch: pytest.MonkeyPatch, client: FakeClient, instance: str | None = None
) -> AlertConsumer:
    def make(_: object, **options: Any) -> FakeClient:
        client.options = options
        return client

    monkeypatch.setattr(alert_consumer, "consumer", make)
    own = AlertConsumer(CONFIG, "t", "sender-email", instance)
    client.on_empty = own.stop
    return own


def test_records_come_in_their_order_with_kafkas_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        client = FakeClient(*(FakeMessage(offset) for offset in range(3)))
        own = new_consumer(monkeypatch, client)
        waiting = asyncio.create_task(own.wait())
        await own.run()
        assert await waiting == 3
        records = own.take(2)
        assert [record.offset for record in records] == [0, 1]
        assert (records[0].written_at, records[0].key, records[0].value) == (1_000, b"k", b"v")
        assert [record.offset for record in own.take(5)] == [2]
        assert own.lag == 3 + 20
        assert client.calls == ["subscribe ['t']", "close"]

    run(read)


def test_only_what_was_processed_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        client = FakeClient(FakeMessage(7), FakeMessage(8), FakeMessage(9))
        own = new_consumer(monkeypatch, client)
        await own.run()
        assert client.stored == []
        own.commit(own.take(2))
        await own.run()
        assert client.stored == [9]
        assert client.options["enable.auto.offset.store"] is False

    run(read)


def test_a_partition_that_was_revoked_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        client = FakeClient(FakeMessage(7))
        own = new_consumer(monkeypatch, client)
        await own.run()
        own.commit(own.take(1))
        client.revoked = True
        await own.run()
        assert client.stored == []

    run(read)


def test_a_full_queue_pauses_and_goes_on_when_half_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        monkeypatch.setattr(alert_consumer, "_QUEUE_CAPACITY", 4)
        client = FakeClient(*(FakeMessage(offset) for offset in range(4)))
        own = new_consumer(monkeypatch, client)
        polls: list[int] = []

        def empty() -> None:
            polls.append(1)
            if len(polls) == 1:
                own.take(3)
            else:
                own.stop()

        client.on_empty = empty
        await own.run()
        assert client.calls == ["subscribe ['t']", "pause", "resume", "close"]

    run(read)


def test_a_passing_error_is_no_record_and_a_fatal_one_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read() -> None:
        passing = FakeMessage(0, KafkaError(KafkaError._TRANSPORT))
        client = FakeClient(passing, FakeMessage(1))
        own = new_consumer(monkeypatch, client)
        await own.run()
        assert [record.offset for record in own.take(5)] == [1]
        client = FakeClient(FakeMessage(0, FATAL))
        with pytest.raises(KafkaException):
            await new_consumer(monkeypatch, client).run()
        assert client.calls[-1] == "close"

    run(read)


@pytest.mark.parametrize("instance", ["pod-0", None])
def test_a_named_instance_keeps_its_partitions(monkeypatch: pytest.MonkeyPatch, instance: str | None) -> None:
    async def read() -> None:
        client = FakeClient()
        new_consumer(monkeypatch, client, instance)
        assert client.options.get("group.instance.id") == instance
        assert client.options["group.id"] == "sender-email"

    run(read)
