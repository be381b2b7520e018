"""Kafka clients as the configuration describes them."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from account_alerts.config import LARGEST_RECORD, Config
from account_alerts.config.kafka import READ_COMMITTED
from account_alerts.kafka import groups
from account_alerts.model.errors import ConfigError, UnreachableError

# librdkafka would log each retry; final failures reach us by exception or callback.
_QUIET: dict[str, Any] = {"logger": logging.getLogger(__name__), "log_level": 2}
# A request goes out at once, also while the one before it is not acknowledged.
_AT_ONCE: dict[str, Any] = {"socket.nagle.disable": True}
_Client = TypeVar("_Client", Producer, Consumer, AdminClient)


class KafkaUnreachableError(UnreachableError):
    """No broker answered, or a record was not accepted; the message names the address and the remedy."""


def producer(config: Config, **options: Any) -> Producer:
    """Make a producer that waits for all replicas, keeps the order and partitions keys as Java clients do."""
    return _construct(
        Producer,
        {
            **config.kafka.librdkafka(),
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": LARGEST_RECORD,
            "partitioner": "murmur2_random",
            "linger.ms": 0,
            **_AT_ONCE,
            **_QUIET,
            **options,
        },
    )


def consumer(config: Config, **options: Any) -> Consumer:
    """Make a consumer without a group of its own: `assign` it; it commits nothing."""
    return _construct(
        Consumer,
        {
            **config.kafka.librdkafka(),
            "group.id": groups.TOOL,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 100,
            **_AT_ONCE,
            **_QUIET,
            **options,
            **READ_COMMITTED,
        },
    )


def admin(config: Config) -> AdminClient:
    """Make an administration client."""
    return _construct(AdminClient, {**config.kafka.librdkafka(), **_QUIET})


def _construct(kind: type[_Client], properties: dict[str, Any]) -> _Client:
    """Make a client.

    Raises:
        ConfigError: An option cannot be used, such as a file of authorities that is not there.
    """
    try:
        return kind(properties)
    except KafkaException as error:
        raise ConfigError(
            f"kafka.client, kafka.librdkafka_client: no client can be made of them: {error.args[0].str()}"
        ) from error


def to_bytes(value: str | bytes | None) -> bytes | None:
    """Return the key or value of a message as bytes; the client's types allow text too."""
    return value.encode() if isinstance(value, str) else value


def partitions(client: Consumer, topic: str, timeout: float = 10.0) -> list[TopicPartition]:
    """List the topic's partitions, from their beginning.

    Raises:
        KafkaUnreachableError: Nobody answered within `timeout` seconds, or there is no such topic.
    """
    try:
        metadata = client.list_topics(topic, timeout=timeout).topics[topic]
    except KafkaException as error:
        raise KafkaUnreachableError(
            f"Kafka does not answer ({error}). Is it up? See `alerts status`."
        ) from error
    if metadata.error is not None:
        raise KafkaUnreachableError(
            f"topic {topic}: {metadata.error}. Create it with `alerts topics create`."
        )
    return [TopicPartition(topic, number, OFFSET_BEGINNING) for number in sorted(metadata.partitions)]


def read_to_end(
    config: Config,
    topic: str,
    partition: int | None = None,
    *,
    last: int | None = None,
    silence: float | None = None,
) -> Iterator[Message]:
    """Give every record that is in the topic now, or in one partition; each partition in order.

    Args:
        config: Where Kafka is.
        topic: The topic.
        partition: The only one that is read; None: all.
        last: Read no more than so many offsets before the end of each partition; None: from the beginning.
        silence: Seconds without an answer of Kafka after which to give up; None: wait for it.

    Raises:
        KafkaUnreachableError: Nobody answered, or there is no such topic.
    """
    client = consumer(config, **{"enable.partition.eof": True})
    try:
        assignment = [part for part in partitions(client, topic) if partition in (None, part.partition)]
        for part in assignment if last is not None else ():
            low, high = client.get_watermark_offsets(part, timeout=silence or 10.0)
            part.offset = max(low, high - (last or 0))
        client.assign(assignment)
        open_partitions = {part.partition for part in assignment}
        heard = time.monotonic()
        while open_partitions:
            message = client.poll(1.0)
            if message is None:
                if silence is not None and time.monotonic() - heard > silence:
                    raise KafkaUnreachableError(f"topic {topic}: no answer within {silence:.0f} s")
                continue
            heard = time.monotonic()
            error = message.error()
            if error is None:
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:
                open_partitions.discard(message.partition())
            elif error.fatal() or not error.retriable():
                raise KafkaUnreachableError(f"topic {topic}: {error}")
    finally:
        client.close()


def read_one(config: Config, topic: str, partition: int, offset: int, silence: float) -> Message | None:
    """Read the record at an offset; None where there is none (any more).

    Args:
        config: Where Kafka is.
        topic: The topic.
        partition: Its partition.
        offset: The record's offset.
        silence: Seconds without an answer of Kafka after which to give up.

    Raises:
        KafkaUnreachableError: Nobody answered, or there is no such topic.
    """
    client = consumer(config, **{"enable.partition.eof": True})
    try:
        if partition not in {part.partition for part in partitions(client, topic)}:
            return None
        try:
            low, high = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=silence)
        except KafkaException as error:
            raise KafkaUnreachableError(f"topic {topic}: {error}") from error
        if not low <= offset < high:
            return None
        client.assign([TopicPartition(topic, partition, offset)])
        message = client.poll(silence)
        if message is None:
            raise KafkaUnreachableError(f"topic {topic}: no answer within {silence:.0f} s")
        problem = message.error()
        if problem is not None and problem.code() != KafkaError._PARTITION_EOF:
            raise KafkaUnreachableError(f"topic {topic}: {problem}")
        return message if problem is None and message.offset() == offset else None
    finally:
        client.close()


def send(
    client: Producer,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    on_delivery: Callable[[KafkaError | None, Message], None] | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Queue a record, waiting for room in the producer's queue where it is full."""
    while True:
        try:
            if on_delivery is None:
                client.produce(topic, value, key, headers=list(headers))
            else:
                client.produce(topic, value, key, on_delivery=on_delivery, headers=list(headers))
        except BufferError:
            client.poll(0.1)
        else:
            client.poll(0)
            return


def send_all(config: Config, records: Iterable[tuple[str, bytes | None, bytes | None]]) -> int:
    """Write records (topic, key, value) and wait until Kafka has them all; returns how many.

    Raises:
        KafkaUnreachableError: Kafka refused one, or did not take them in time.
    """
    client = producer(config, **{"message.timeout.ms": 30_000})
    failed: list[str] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(str(error))

    count = 0
    for topic, key, value in records:
        send(client, topic, key, value, delivered)
        count += 1
    left = client.flush(35)
    if failed or left:
        reason = failed[0] if failed else "no answer"
        raise KafkaUnreachableError(f"{len(failed) + left} of {count} records were not written: {reason}")
    return count
