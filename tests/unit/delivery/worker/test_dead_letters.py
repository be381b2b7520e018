"""Dead letters: with the contract's headers, and tried until Kafka has them."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError

from account_alerts.config import PROJECT, load
from delivery.alert import DeadLetter
from delivery.worker import dead_letters
from delivery.worker.dead_letters import DeadLetterProducer
from tests.unit.delivery.alerts import record

CONFIG = load(PROJECT / "conf/local.yaml")


class FakeProducer:
    """A producer; the first `failures` records are not delivered."""

    def __init__(self, failures: int = 0, left: int = 0) -> None:
        self.failures, self.left = failures, left
        self.written: list[tuple[Any, ...]] = []

    def produce(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        headers: Any,
        on_delivery: Callable[[KafkaError | None, object], None],
    ) -> None:
        if self.failures:
            self.failures -= 1
            on_delivery(KafkaError(KafkaError._MSG_TIMED_OUT), None)
        else:
            self.written.append((topic, value, key, dict(headers)))
            on_delivery(None, None)

    def poll(self, _: float) -> None:
        return

    def flush(self, _: float) -> int:
        left, self.left = self.left, 0
        return left


def write(monkeypatch: pytest.MonkeyPatch, client: FakeProducer, *letters: DeadLetter) -> None:
    monkeypatch.setattr(dead_letters, "producer", lambda *_, **__: client)
    monkeypatch.setattr(dead_letters, "_RETRY_SECONDS", 0)
    asyncio.run(DeadLetterProducer(CONFIG).write(letters))


def test_a_dead_letter_has_the_bytes_and_where_they_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    client, source = FakeProducer(), record()
    write(monkeypatch, client, DeadLetter(source, "SMTP 550 \ud800"))
    [(topic, value, key, headers)] = client.written
    assert (topic, value, key) == (CONFIG.topics.dead_letters.name, source.value, b"c1")
    assert headers == {
        "source.topic": b"outbound-email",
        "source.partition": b"0",
        "source.offset": b"7",
        "reason": b"SMTP 550 ?",
    }


@pytest.mark.parametrize(("failures", "left"), [(1, 0), (0, 1)])
def test_it_is_tried_until_kafka_has_all(monkeypatch: pytest.MonkeyPatch, failures: int, left: int) -> None:
    client = FakeProducer(failures, left)
    letters = [DeadLetter(record(offset=offset), "r") for offset in (1, 2)]
    write(monkeypatch, client, *letters)
    assert [headers["source.offset"] for *_, headers in client.written[-2:]] == [b"1", b"2"]
    assert len(client.written) >= 3


def test_nothing_connects_for_no_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(dead_letters, "producer", connect)
    asyncio.run(DeadLetterProducer(CONFIG).write([]))


def test_a_connection_is_kept_until_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    clients: list[FakeProducer] = []

    def connect(*_: object, **__: object) -> FakeProducer:
        clients.append(FakeProducer())
        return clients[-1]

    monkeypatch.setattr(dead_letters, "producer", connect)
    monkeypatch.setattr(dead_letters, "_RETRY_SECONDS", 0)

    async def write_some() -> None:
        own = DeadLetterProducer(CONFIG)
        for offset in (1, 2):
            await own.write([DeadLetter(record(offset=offset), "r")])
        clients[0].failures = 1
        await own.write([DeadLetter(record(offset=3), "r")])

    asyncio.run(write_some())
    assert [len(client.written) for client in clients] == [2, 1]


def test_letters_that_come_meanwhile_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    client, flushes, first = FakeProducer(), [], threading.Event()

    def flush(_: float) -> int:
        assert first.wait(30)
        flushes.append(len(client.written))
        return 0

    monkeypatch.setattr(client, "flush", flush)
    monkeypatch.setattr(dead_letters, "producer", lambda *_, **__: client)

    async def write_many() -> None:
        own = DeadLetterProducer(CONFIG)
        writing = [
            asyncio.create_task(own.write([DeadLetter(record(offset=offset), "r")])) for offset in range(50)
        ]
        await asyncio.sleep(0)
        first.set()
        await asyncio.gather(*writing)

    asyncio.run(write_many())
    assert flushes[-1] == 50
    assert len(flushes) <= 2


def test_letters_whose_writer_is_cancelled_are_written_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeProducer(failures=1)
    monkeypatch.setattr(dead_letters, "producer", lambda *_, **__: client)
    monkeypatch.setattr(dead_letters, "_RETRY_SECONDS", 3_600)

    async def write_two() -> None:
        own = DeadLetterProducer(CONFIG)
        cancelled = asyncio.create_task(own.write([DeadLetter(record(offset=1), "r")]))
        while client.failures:
            await asyncio.sleep(0.001)
        cancelled.cancel()
        await own.write([DeadLetter(record(offset=2), "r")])

    asyncio.run(write_two())
    assert [headers["source.offset"] for *_, headers in client.written] == [b"1", b"2"]
