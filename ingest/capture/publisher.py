"""The publisher: changes of the bank's tables become records of the contract.

Any number of processes share the partitions (consumer group `publisher`). Offsets are committed when Kafka
has acknowledged what the changes became.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka import groups
from account_alerts.kafka.clients import consumer, send, to_bytes
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.kafka.lost_brokers import OnLost, watch
from account_alerts.model.errors import UnreachableError
from account_alerts.records.codec import CodecError, codec
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from account_alerts.service.rate_limit import TokenBucket
from ingest.capture import debezium
from ingest.capture.changes import InvalidChangeError, read_change
from ingest.capture.metrics import Metrics
from ingest.capture.position import Positions

_LARGEST_BATCH = 1_000
_BURST_SECONDS = 0.1
"""Work that may be done at once, of the configured rate."""
_log = logging.getLogger(__name__)


class PublisherError(UnreachableError):
    """A record could not be written; the publisher ends, and begins again at the last commit."""


class _Committed(NamedTuple):
    """A record that is written, and when the bank's database committed its change."""

    topic: str
    at_ms: int


def connect(config: Config, instance: str | None = None, on_lost: OnLost | None = None) -> Consumer:
    """Make the publisher's consumer.

    Args:
        config: The environment.
        instance: A name that no other process of the group has: one that is started again under it takes its
            partitions back at once. Without, the others wait until it is missed, some seconds.
        on_lost: Called when Kafka is never reached again.
    """
    # Gone for 6 s, it is missed: the least that Kafka allows.
    membership = {"group.id": groups.PUBLISHER, "session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_500}
    if instance is not None:
        membership["group.instance.id"] = instance
    return consumer(
        config, **membership, **{"topic.metadata.refresh.interval.ms": 5_000}, **watch(config, on_lost)
    )


class Publisher:
    """One process."""

    def __init__(
        self,
        config: Config,
        changes: Consumer,
        producer: Producer,
        positions: Positions,
        metrics: Metrics,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare to publish.

        Args:
            config: The environment.
            changes: Made by `connect`.
            producer: Writes records and dead letters.
            positions: Say how far the changes were published.
            metrics: Count what is done.
            clock: Tells the time.
            sleep: Waits, in seconds.
        """
        capture = config.require("capture")
        self._codec = codec(config)
        self._consumer, self._producer = changes, producer
        self._positions, self._metrics = positions, metrics
        self._clock, self._sleep = clock, sleep
        self._dead_letters = config.topics.dead_letters.name
        self._tables = {capture.topic(table): table for table in debezium.tables(config)}
        self._outputs = {
            capture.topic(table): config.topics.all()[key] for table, key in debezium.tables(config).items()
        }
        for topic in self._tables:
            metrics.dead_letters.labels(topic)  # From 0 on: an alarm on its growth sees the first one, too.
        self._oldest_booking = capture.oldest_booking
        rate = capture.records_per_second
        self._rate_limit = TokenBucket(rate, rate * _BURST_SECONDS, clock)
        self._batch = min(_LARGEST_BATCH, max(1, rate // 10))
        self._published: dict[tuple[str, int], int] = {}
        self._too_large: list[Message] = []
        self._failures: list[str] = []

    def run(self, stopped: threading.Event) -> None:
        """Publish until stopped.

        Raises:
            PublisherError: Kafka refused a record for good, or did not take it for minutes.
        """
        self._consumer.subscribe(list(self._tables), on_assign=self._assigned)
        try:
            while not stopped.is_set():
                self._producer.poll(0)
                first = self._consumer.poll(0.5)
                if first is not None:
                    self._publish([first, *self._consumer.consume(self._batch - 1, timeout=0)])
        finally:
            # What was published is committed; leaving tells the others at once.
            self._consumer.close()

    def _assigned(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        for assigned in partitions:
            output = self._outputs[assigned.topic]
            if output.cleanup == "compact":  # A repeated booking does no harm, an old setting does.
                self._published[assigned.topic, assigned.partition] = self._positions.published(
                    assigned.topic, output.name, assigned.partition
                )
        _log.info("partitions: %s", ", ".join(f"{each.topic} {each.partition}" for each in partitions))

    def _publish(self, messages: Sequence[Message]) -> None:
        """Write what a batch becomes, wait for Kafka, then commit."""
        changes = [message for message in messages if self._is_change(message)]
        written = [committed for change in changes if (committed := self._send(change)) is not None]
        self._flush()
        if self._too_large:
            for change in self._too_large:
                self._to_dead_letters(change, "the record is larger than its topic takes")
            self._too_large.clear()
            self._flush()
        now = self._clock.now_ms()
        for committed in written:
            self._metrics.latency.labels(committed.topic).observe(max(0, now - committed.at_ms) / 1000)
        if changes:
            self._consumer.commit(offsets=_next_offsets(changes), asynchronous=True)
        self._sleep(self._rate_limit.spend(len(changes)))

    def _is_change(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise PublisherError(f"changes cannot be read: {error}")
        # Such as an unreachable broker; the library goes on by itself.
        _log.warning("changes cannot be read for now: %s", error)
        return False

    def _send(self, message: Message) -> _Committed | None:
        """Send the record that a change becomes; returns its commit, where there are both."""
        topic, partition, offset = _position(message)
        output = self._outputs[topic]
        if offset <= self._published.get((topic, partition), -1):
            self._metrics.skipped.labels(output.name).inc()
            return None
        key, value = to_bytes(message.key()), to_bytes(message.value())
        try:
            change = read_change(self._tables[topic], key, value, self._oldest_booking)
            if change is None:
                self._metrics.skipped.labels(output.name).inc()
                return None
            encoded = None
            if change.record is not None:
                encoded = self._codec.encode(change.name, change.record, output.name)
        except InvalidChangeError as error:
            self._to_dead_letters(message, str(error))
            return None
        except CodecError:
            self._to_dead_letters(message, "does not fit the schema")
            return None

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                self._metrics.records.labels(output.name).inc()
            elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                self._too_large.append(message)
            else:
                self._failures.append(f"{output.name}: {error}")

        own = [self._positions.header(topic, partition, offset)] if output.cleanup == "compact" else []
        send(self._producer, output.name, key, encoded, delivered, own)
        return _Committed(output.name, change.committed_ms) if change.committed_ms else None

    def _to_dead_letters(self, message: Message, reason: str) -> None:
        topic, partition, offset = _position(message)
        _log.warning("%s %d:%d goes to the dead letters: %s", topic, partition, offset, reason)
        self._metrics.dead_letters.labels(topic).inc()

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._failures.append(f"{self._dead_letters}: {error}")

        key, value = to_bytes(message.key()), to_bytes(message.value())
        letter = dead_letter(key, value, topic, partition, offset, reason)
        send(self._producer, self._dead_letters, letter.key, letter.value, delivered, letter.headers)

    def _flush(self) -> None:
        while self._producer.flush(1.0) and not self._failures:
            pass
        if self._failures:
            raise PublisherError(f"not written: {self._failures[0]}")


def _position(message: Message) -> tuple[str, int, int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset


def _next_offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    newest: dict[tuple[str, int], int] = {}
    for topic, partition, offset in map(_position, messages):
        newest[topic, partition] = offset + 1
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in newest.items()]
