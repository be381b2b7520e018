"""Kafka in memory."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from confluent_kafka import KafkaError, KafkaException

OnDelivery = Callable[[KafkaError | None, Any], None]


@dataclass(frozen=True)
class Written:
    """A record as it was given to the producer."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        return dict(self.headers)[name].decode()


class FakeProducer:
    """A producer whose records are acknowledged, in their order, when a test says so.

    With `errors`, Kafka answers for a topic's records with that error instead.
    """

    def __init__(
        self, topics: Sequence[str] = (), *, acknowledges: bool = False, capacity: int = 10**6
    ) -> None:
        self.topics = list(topics)
        self.acknowledges = acknowledges
        """At each `poll` and `flush`, everything."""
        self.capacity = capacity
        self.reachable = True
        self.errors: dict[str, int] = {}
        self.written: list[Written] = []
        self.events: list[str] = []
        """What happened in which order: topics written to, and `flushed`."""
        self._open: deque[tuple[Written, OnDelivery | None]] = deque()
        self._answered: deque[tuple[OnDelivery, KafkaError | None]] = deque()
        self._changed = threading.Condition()

    def produce(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        on_delivery: OnDelivery | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        with self._changed:
            if len(self._open) >= self.capacity:
                raise BufferError("the queue is full")
            record = Written(topic, key, value, tuple(headers))
            self.written.append(record)
            self.events.append(topic)
            self._open.append((record, on_delivery))
            self._changed.notify_all()

    def acknowledge(self, count: int | None = None) -> None:
        """Let Kafka answer for the oldest records, or for all; callers hear of it when they poll."""
        with self._changed:
            for _ in range(len(self._open) if count is None else count):
                record, on_delivery = self._open.popleft()
                code = self.errors.get(record.topic)
                if on_delivery is not None:
                    self._answered.append((on_delivery, None if code is None else KafkaError(code)))
            self._changed.notify_all()

    def wait_until_written(self, count: int, timeout: float = 30) -> None:
        """Wait for another thread to write so many records."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.written) >= count, timeout)

    def poll(self, timeout: float = 0) -> int:
        if self.acknowledges:
            self.acknowledge()
        with self._changed:
            self._changed.wait_for(lambda: self._answered or (self.acknowledges and self._open), timeout)
            answered, self._answered = self._answered, deque()
        for on_delivery, error in answered:
            on_delivery(error, None)
        return len(answered)

    def flush(self, timeout: float = -1) -> int:
        self.poll()
        self.events.append("flushed")
        return len(self._open)

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> Any:
        if not self.reachable:
            raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))
        topics = {name: SimpleNamespace(error=None) for name in self.topics}
        return SimpleNamespace(topics=topics, brokers={1: "broker"})

    def to(self, topic: str) -> list[Written]:
        """Return the records of one topic."""
        return [record for record in self.written if record.topic == topic]
