"""Reads the compacted topics that profiles are made of, and applies them to the store."""

import logging
import threading
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from prometheus_client import CollectorRegistry

from account_alerts.model.errors import AlertsError
from account_alerts.records.codec import Codec
from account_alerts.service import metrics
from delivery.profiles.records import Batch, InvalidProfileError, ProfileRow, Table, parse

_log = logging.getLogger(__name__)
_BATCH = 2_000
_DECODE_RETRY_SECONDS = 1.0

Position = tuple[str, int]
"""A topic and a partition."""


class _StoppedError(AlertsError):
    """The process is to end while a record cannot be decoded yet; whoever comes next reads it again."""


class Store(Protocol):
    """Where profiles are kept."""

    def progress(self) -> dict[Position, int]:
        """Return the offset of the next record, by topic and partition."""

    def restart(self, topic: str, partition: int) -> None:
        """Read a partition from its beginning again."""

    def apply(self, table: Table, topic: str, partition: int, batch: Batch) -> bool:
        """Write a batch, and up to where the partition is read; returns whether it is written."""


class ProfileConsumer:
    """One member of the consumer group; as many as partitions may run."""

    def __init__(
        self,
        tables: dict[str, Table],
        decoder: Codec,
        store: Store,
        registry: CollectorRegistry,
        stop: threading.Event,
    ) -> None:
        """Read nothing yet.

        Args:
            tables: The table of each topic.
            decoder: Decodes the records.
            store: Where they are applied.
            registry: Where the metrics stand.
            stop: Set when the process shall end.
        """
        self._tables, self._decoder, self._store, self._stop = tables, decoder, store, stop
        self._applied = metrics.PROFILES_APPLIED_RECORDS.create(registry)
        self._invalid = metrics.PROFILES_INVALID_RECORDS.create(registry)
        self._lag = metrics.PROFILES_LAG.create(registry)
        for topic in tables:
            for metric in (self._applied, self._invalid, self._lag):
                metric.labels(topic)

    def run(self, client: Consumer) -> None:
        """Read until `stop`, and close the client.

        Raises:
            KafkaException: The group has thrown this member out for good.
        """
        client.subscribe(list(self._tables), on_assign=self._assigned)
        try:
            while not self._stop.is_set():
                first = client.poll(0.2)
                if first is not None:
                    self.apply([first, *client.consume(_BATCH, timeout=0)])
                    self._report_lag(client)
        except _StoppedError:
            _log.warning("stopped before all that was read could be decoded")
        finally:
            client.close()

    def apply(self, messages: list[Message]) -> None:
        """Apply messages, those of each partition at once.

        Raises:
            KafkaException: One of them says that the group has thrown this member out for good.
        """
        batches: dict[Position, Batch] = {}
        for message in messages:
            self._add(batches, message)
        for (topic, partition), batch in batches.items():
            if self._store.apply(self._tables[topic], topic, partition, batch):
                self._applied.labels(topic).inc(len(batch.rows))

    def _assigned(self, client: Consumer, parts: list[TopicPartition]) -> None:
        """Go on from where the database stands."""
        known = self._store.progress()
        for part in parts:
            low, end = client.get_watermark_offsets(part, timeout=10) or (0, 0)
            offset = known.get((part.topic, part.partition), 0)
            if offset > end:
                # The topic was made anew; what it held is not in force any more, but what comes replaces it.
                _log.warning("%s %d: shorter than what was read: read again", part.topic, part.partition)
                self._store.restart(part.topic, part.partition)
                offset = 0
            part.offset = max(low, offset)
        client.assign(parts)

    def _add(self, batches: dict[Position, Batch], message: Message) -> None:
        topic, partition = message.topic() or "", message.partition() or 0
        error, offset = message.error(), message.offset() or 0
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                batches.setdefault((topic, partition), Batch()).advance(offset)
            elif error.fatal():
                raise KafkaException(error)
            return
        batch = batches.setdefault((topic, partition), Batch())
        try:
            batch.put(offset, self._parse(topic, message))
        except InvalidProfileError as problem:
            self._invalid.labels(topic).inc()
            kind = type(problem.__cause__ or problem).__name__
            _log.warning("%s, %d:%d: skipped: %s", topic, partition, offset, kind)
        batch.advance(offset + 1)

    def _parse(self, topic: str, message: Message) -> ProfileRow:
        key, value = message.key(), message.value()
        assert not isinstance(key, str)
        assert not isinstance(value, str)
        while True:
            try:
                return parse(key, value, self._tables[topic], self._decoder)
            except InvalidProfileError:
                raise
            except Exception as error:  # The registry is away; the record may be a good one.
                _log.warning("a record cannot be decoded yet: %s", type(error).__name__)
                if self._stop.wait(_DECODE_RETRY_SECONDS):
                    raise _StoppedError from error

    def _report_lag(self, client: Consumer) -> None:
        lag = dict.fromkeys(self._tables, 0)
        for part in client.position(client.assignment()):
            _, end = client.get_watermark_offsets(part, cached=True) or (0, 0)
            lag[part.topic] += max(0, end - max(part.offset, 0))
        for topic, count in lag.items():
            self._lag.labels(topic).set(count)
