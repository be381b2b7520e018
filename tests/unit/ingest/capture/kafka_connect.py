"""A changes topic's consumer, and Kafka Connect, in memory."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx2
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from tests.clock import FakeClock


class FakeMessage:
    """A change on Kafka."""

    def __init__(
        self,
        topic: str,
        offset: int,
        key: bytes | None,
        value: bytes | None,
        partition: int = 0,
        error: int | None = None,
        *,
        fatal: bool = False,
    ) -> None:
        self._at = topic, partition, offset
        self._key, self._value = key, value
        self._error = None if error is None else KafkaError(error, fatal=fatal)

    def topic(self) -> str:
        return self._at[0]

    def partition(self) -> int:
        return self._at[1]

    def offset(self) -> int:
        return self._at[2]

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def error(self) -> KafkaError | None:
        return self._error


class FakeConsumer:
    """Gives batches, one for each `poll`; calls `on_end` when there are no more."""

    def __init__(self, events: list[str], on_end: Callable[[], None]) -> None:
        self.events = events
        """Shared with the producer: what happened in which order."""
        self.batches: deque[list[FakeMessage]] = deque()
        self.assigned: list[TopicPartition] = []
        self.subscribed: list[str] = []
        self.committed: list[dict[tuple[str, int], int]] = []
        self._on_end = on_end
        self._on_assign: Callable[[Any, list[TopicPartition]], None] | None = None
        self._rest: list[FakeMessage] = []

    def subscribe(
        self, topics: Sequence[str], on_assign: Callable[[Any, list[TopicPartition]], None]
    ) -> None:
        self.subscribed = list(topics)
        self._on_assign = on_assign

    def poll(self, timeout: float) -> FakeMessage | None:
        if self._on_assign is not None:
            self._on_assign(self, self.assigned)
            self._on_assign = None
        if not self.batches:
            self._on_end()
            return None
        first, *self._rest = self.batches.popleft()
        return first

    def consume(self, most: int, timeout: float) -> list[FakeMessage]:
        assert len(self._rest) <= most
        return self._rest

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.events.append("committed")
        self.committed.append({(each.topic, each.partition): each.offset for each in offsets})

    def close(self) -> None:
        self.events.append("closed")


class FakeBeats:
    """Heartbeats on Kafka, as the connector writes them."""

    def __init__(self, clock: FakeClock) -> None:
        self.number = 100
        self.error: KafkaException | None = None
        self._clock = clock
        self._waiting: list[FakeMessage] = []

    def beat(self, operation: str = "u") -> None:
        """Let the next one come out, written now."""
        self.number += 1
        at = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).isoformat().replace("+00:00", "Z")
        row = {"only_row": True, "beat_at": at, "beats": self.number, "__op": operation}
        self.put(json.dumps(row).encode())

    def put(self, value: bytes | None) -> None:
        """Let something come out."""
        self._waiting.append(FakeMessage("beats", 0, b"", value))

    def consume(self, num_messages: int, timeout: float) -> list[Any]:
        if self.error is not None:
            raise self.error
        found, self._waiting = self._waiting[:num_messages], self._waiting[num_messages:]
        return found


class FakeConnect:
    """Kafka Connect's REST interface, with at most one connector."""

    def __init__(self) -> None:
        self.config: dict[str, str] | None = None
        self.states = ["RUNNING", "RUNNING"]
        """Of the connector and its tasks."""
        self.trace = "java.lang.RuntimeException: no such slot\n\tat somewhere"
        self.requests: list[str] = []
        self.conflicts = 0
        """So many requests more are answered with a conflict."""
        self.is_up = True
        self.transport = httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if not self.is_up:
            raise httpx2.ConnectError("refused")
        path = request.url.raw_path.decode()
        self.requests.append(f"{request.method} {path}")
        if self.conflicts:
            self.conflicts -= 1
            return httpx2.Response(409, json={"message": "rebalance"})
        if path == "/connectors":
            return httpx2.Response(200, json=[])
        if request.method == "PUT":
            self.config = {**json.loads(request.content), "name": path.split("/")[2]}
            return httpx2.Response(201, json={})
        if self.config is None:
            return httpx2.Response(404, json={"message": "not found"})
        if path.endswith("/config"):
            return httpx2.Response(200, json=self.config)
        if path.endswith("/status"):
            connector, *tasks = ({"state": state, "trace": self.trace} for state in self.states)
            return httpx2.Response(200, json={"connector": connector, "tasks": tasks})
        assert request.method == "POST"
        return httpx2.Response(204)
