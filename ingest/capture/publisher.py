"""The publisher: changes of the bank's tables become records of the contract.

Any number of processes share the partitions (consumer group `publisher`). Offsets are committed when Kafka
has acknowledged what the changes became.
"""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicCollection, TopicPartition
from prometheus_client import start_http_server

from account_alerts.config import Config, load
from account_alerts.kafka.clients import KafkaUnreachableError, admin, consumer, producer, send
from account_alerts.kafka.dead_letters import headers
from account_alerts.model.errors import UnreachableError
from account_alerts.records.codec import CodecError, codec
from account_alerts.service.rate_limit import TokenBucket
from ingest.capture import connect_client, debezium, position
from ingest.capture.changes import UnusableChangeError, change
from ingest.capture.metrics import CONNECTOR, DEAD_LETTERS, LATENCY, PUBLISHED, SKIPPED

GROUP = "publisher"
_LARGEST_BATCH = 1_000
_log = logging.getLogger(__name__)


class PublisherError(UnreachableError):
    """A record could not be written; the publisher ends, and begins again at the last commit."""


class Publisher:
    """One process."""

    def __init__(self, config: Config, instance: str | None = None) -> None:
        """Prepare to publish.

        Args:
            config: The environment.
            instance: A name that no other process of the group has: one that is started again under it takes
                its partitions back at once. Without, the others wait until it is missed, some seconds.
        """
        own = debezium.capture(config)
        self._config = config
        self._codec = codec(config)
        self._tables = {own.topic(table): table for table in debezium.tables(config)}
        self._oldest_booking = own.oldest_booking
        self._outputs = {
            own.topic(table): config.topics.all()[key] for table, key in debezium.tables(config).items()
        }
        self._pace = TokenBucket(own.records_per_second, own.records_per_second / 10)
        self._batch = min(_LARGEST_BATCH, max(1, own.records_per_second // 10))
        self._published: dict[tuple[str, int], int] = {}
        self._topic_ids: dict[str, str] = {}
        self._refused: list[Message] = []
        self._failures: list[str] = []
        self._producer = producer(config)
        # Gone for 6 s, it is missed: the least that Kafka allows.
        membership = {"group.id": GROUP, "session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_500}
        if instance is not None:
            membership["group.instance.id"] = instance
        self._consumer = consumer(config, **membership, **{"topic.metadata.refresh.interval.ms": 5_000})

    def run(self, stopped: threading.Event) -> None:
        """Publish until stopped.

        Raises:
            PublisherError: Kafka refused a record for good, or did not take it for minutes.
        """
        self._consumer.subscribe(list(self._tables), on_assign=self._assigned)
        try:
            while not stopped.is_set():
                first = self._consumer.poll(0.5)
                if first is not None:
                    self._publish([first, *self._consumer.consume(self._batch - 1, timeout=0)])
        finally:
            # What was published is committed; leaving tells the others at once.
            self._consumer.close()

    def _assigned(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        for place in partitions:
            output = self._outputs[place.topic]
            if output.cleanup == "compact":  # A booking that comes twice does no harm, an old setting does.
                self._published[place.topic, place.partition] = position.published(
                    self._config, output.name, self._topic_id(place.topic), place.partition
                )
        _log.info("partitions: %s", ", ".join(f"{place.topic} {place.partition}" for place in partitions))

    def _topic_id(self, topic: str) -> str:
        if topic not in self._topic_ids:
            client = admin(self._config)  # Its requests end with it.
            [future] = client.describe_topics(TopicCollection([topic])).values()
            self._topic_ids[topic] = str(future.result().topic_id)
        return self._topic_ids[topic]

    def _publish(self, messages: Sequence[Message]) -> None:
        """Write what a batch becomes, wait for Kafka, then commit."""
        taken = [message for message in messages if self._usable(message)]
        latencies: list[tuple[str, int]] = []
        for message in taken:
            if committed := self._send(message):
                latencies.append(committed)
        self._flush()
        for message in self._refused:
            self._bury(message, "the record is larger than its topic takes")
        if self._refused:
            self._refused.clear()
            self._flush()
        now = time.time() * 1000
        for topic, committed_ms in latencies:
            LATENCY.labels(topic).observe(max(0.0, now - committed_ms) / 1000)
        if taken:
            self._consumer.commit(offsets=_next_offsets(taken), asynchronous=True)
        time.sleep(self._pace.spend(len(taken)))

    def _usable(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise PublisherError(f"changes cannot be read: {error}")
        # Such as a broker that is away; the library goes on by itself.
        _log.warning("changes cannot be read for now: %s", error)
        return False

    def _send(self, message: Message) -> tuple[str, int] | None:
        """Send what a change becomes; returns its topic and commit time, where it is known."""
        topic, partition, offset = _place(message)
        output = self._outputs[topic]
        if offset <= self._published.get((topic, partition), -1):
            SKIPPED.labels(output.name).inc()
            return None
        key, value = _bytes(message.key()), _bytes(message.value())
        try:
            found = change(self._tables[topic], key, value, self._oldest_booking)
            if found is None:
                SKIPPED.labels(output.name).inc()
                return None
            encoded = None
            if found.record is not None:
                encoded = self._codec.encode(found.name, found.record, output.name)
        except (UnusableChangeError, CodecError) as error:
            self._bury(
                message, str(error) if isinstance(error, UnusableChangeError) else "does not fit the schema"
            )
            return None
        own = (
            [position.header(self._topic_id(topic), partition, offset)] if output.cleanup == "compact" else []
        )

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is None:
                PUBLISHED.labels(output.name).inc()
            elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                self._refused.append(message)
            else:
                self._failures.append(f"{output.name}: {error}")

        send(self._producer, output.name, key, encoded, delivered, own)
        return (output.name, found.committed_ms) if found.committed_ms else None

    def _bury(self, message: Message, reason: str) -> None:
        topic, partition, offset = _place(message)
        _log.warning("%s %d:%d goes to the dead letters: %s", topic, partition, offset, reason)
        DEAD_LETTERS.labels(topic).inc()

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self._failures.append(f"dead letters: {error}")

        send(
            self._producer,
            self._config.topics.dead_letters.name,
            _bytes(message.key()),
            _bytes(message.value()),
            delivered,
            headers(topic, partition, offset, reason),
        )

    def _flush(self) -> None:
        while self._producer.flush(1.0) and not self._failures:
            pass
        if self._failures:
            raise PublisherError(f"not written: {self._failures[0]}")


def _place(message: Message) -> tuple[str, int, int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _next_offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    newest: dict[tuple[str, int], int] = {}
    for topic, partition, offset in map(_place, messages):
        newest[topic, partition] = offset + 1
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in newest.items()]


def watch(config: Config, stopped: threading.Event) -> None:
    """Register the connector as it is configured, and start it again when it has failed, until stopped.

    Kafka Connect itself does neither.
    """
    registered, pause = False, 0.0
    while not stopped.wait(pause):
        pause = debezium.capture(config).check_interval / 1000
        try:
            if not registered and connect_client.register(config):
                _log.info("the connector is registered")
            status = connect_client.status(config)
            CONNECTOR.set(status.running)
            if status.failed:
                _log.warning("the connector failed (%s): starting it again", status.reason)
                connect_client.restart(config)
            registered = status.known
        except debezium.CaptureError as error:
            registered = False
            CONNECTOR.set(0)
            _log.warning("%s", error)


def main() -> None:
    """Publish until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m ingest.capture.publisher", description=__doc__)
    parser.add_argument("--config", type=Path, help="the environment's YAML file")
    parser.add_argument("--instance", help="a name that no other publisher has: then a restart is quick")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    config = load(arguments.config)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if port := debezium.capture(config).metrics_port:
        start_http_server(port)
    threading.Thread(target=watch, args=(config, stopped), daemon=True).start()
    try:
        Publisher(config, arguments.instance).run(stopped)
    except (PublisherError, KafkaUnreachableError, KafkaException) as error:
        raise SystemExit(f"publisher: {error}") from error


if __name__ == "__main__":
    main()
