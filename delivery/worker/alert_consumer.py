"""Reads a channel's topic in a thread of its own: librdkafka blocks, and the rest must not wait for it."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka.clients import consumer
from account_alerts.kafka.lost_brokers import OnLost, watch
from delivery.alert import SourceRecord

_log = logging.getLogger(__name__)
_QUEUE_CAPACITY = 4_000
_BATCH = 500
_COUNT_LAG_SECONDS = 1.0


class AlertConsumer:
    """Records of one topic, as a member of a consumer group, in the order of their partitions.

    A record is available at once: it does not wait for others. `commit` says what need not be read again.
    """

    def __init__(
        self,
        config: Config,
        topic: str,
        group: str,
        instance: str | None = None,
        on_lost: OnLost | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            config: Says where Kafka is.
            topic: The topic.
            group: The consumer group.
            instance: A name that this member keeps when it is started again; so it gets its partitions back
                at once when it was killed.
            on_lost: Called when Kafka is never reached again.
        """
        options = {
            "group.id": group,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": 10_000,
            "fetch.wait.max.ms": 500,
            # What is processed is stored by hand; the client commits it, also before a partition is revoked.
            "enable.auto.commit": True,
            "enable.auto.offset.store": False,
            "auto.commit.interval.ms": 500,
            **({"group.instance.id": instance} if instance else {}),
        }
        self._consumer: Consumer = consumer(config, **options, **watch(config, on_lost))
        self._topic = topic
        self._records: deque[SourceRecord] = deque()
        self._arrived = asyncio.Event()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._processed: dict[int, int] = {}
        self.lag = 0
        """Records of its partitions that it has not read."""

    async def run(self) -> None:
        """Read until `stop`.

        Raises:
            KafkaException: The group has thrown this member out for good.
        """
        await asyncio.to_thread(self._run, asyncio.get_running_loop())

    def stop(self) -> None:
        """Let `run` end; what was not taken is read again by whoever gets the partitions."""
        self._stop.set()

    async def wait(self) -> int:
        """Wait until there is a record; returns how many there are."""
        while not self._records:
            self._arrived.clear()
            await self._arrived.wait()
        return len(self._records)

    def take(self, count: int) -> list[SourceRecord]:
        """Return the oldest records, at most `count`."""
        return [self._records.popleft() for _ in range(min(count, len(self._records)))]

    def commit(self, records: Iterable[SourceRecord]) -> None:
        """Note that these, in their order, need not be read again."""
        with self._lock:
            self._processed.update({record.partition: record.offset + 1 for record in records})

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        client = self._consumer
        client.subscribe([self._topic])
        full, next_count = False, 0.0
        try:
            while not self._stop.is_set():
                if full and len(self._records) < _QUEUE_CAPACITY // 2:
                    client.resume(client.assignment())
                    full = False
                elif not full and len(self._records) >= _QUEUE_CAPACITY:
                    full = True
                if full:
                    client.pause(client.assignment())  # Each time: a rebalance brings new ones.
                self._store_offsets()
                first = client.poll(0.05 if full else 0.2)
                messages = [] if first is None else [first]
                if messages and not full:
                    messages += client.consume(_BATCH, timeout=0)
                sources = [_source_record(message) for message in messages if _is_record(message)]
                if sources:
                    self._records.extend(sources)
                    loop.call_soon_threadsafe(self._arrived.set)
                if time.monotonic() > next_count:
                    self.lag = self._count_lag()
                    next_count = time.monotonic() + _COUNT_LAG_SECONDS
            self._store_offsets()
        finally:
            client.close()

    def _store_offsets(self) -> None:
        """Tell the client what is processed. Only this thread may: a call waits for one of another thread."""
        with self._lock:
            processed, self._processed = self._processed, {}
        for partition, offset in processed.items():
            try:
                self._consumer.store_offsets(offsets=[TopicPartition(self._topic, partition, offset)])
            except KafkaException:
                # It went to another process meanwhile; that reads the record again, and the ledger knows it.
                _log.info("partition %d belongs to another member now", partition)

    def _count_lag(self) -> int:
        lag = len(self._records)
        for part in self._consumer.position(self._consumer.assignment()):
            _, end = self._consumer.get_watermark_offsets(part, cached=True) or (0, 0)
            if part.offset >= 0 and end > part.offset:
                lag += end - part.offset
        return lag


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    _log.warning("Kafka: %s", error)
    return False


def _source_record(message: Message) -> SourceRecord:
    key, value = message.key(), message.value()
    return SourceRecord(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        message.timestamp()[1],
        key.encode() if isinstance(key, str) else key,
        value.encode() if isinstance(value, str) else value,
    )
