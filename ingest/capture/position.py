"""How far a partition of changes was published, as its records themselves say.

Every record that is published says in a header which change it was. So a publisher that was killed between
Kafka's answer and the commit of its offsets knows what is there already, and an old version of a record is
never written again after a newer one. Changes and the records they become have the same keys and numbers of
partitions, so each partition becomes one.
"""

from typing import cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka.clients import KafkaUnreachableError, consumer

HEADER = "capture.position"
_BACK = 1_000
"""Offsets that are looked at: others may have written after the publisher (`alerts settings put`)."""
_SECONDS = 30.0


def header(topic_id: str, partition: int, offset: int) -> tuple[str, bytes]:
    """The header of what a change becomes.

    Args:
        topic_id: Of the changes' topic: a topic that was made anew begins at offset 0 again.
        partition: The change's.
        offset: The change's.
    """
    return HEADER, f"{topic_id}:{partition}:{offset}".encode()


def published(config: Config, topic: str, topic_id: str, partition: int) -> int:
    """The offset of the newest change of a partition that is on the topic; -1 where none is known to be.

    Raises:
        KafkaUnreachableError: Kafka does not answer.
    """
    client = consumer(config, **{"enable.partition.eof": True})
    try:
        place = TopicPartition(topic, partition)
        low, high = client.get_watermark_offsets(place, timeout=_SECONDS)
        if high <= low:
            return -1
        place.offset = max(low, high - _BACK)
        client.assign([place])
        newest = -1
        for message in _to_end(client):
            newest = max(newest, _offset(message, topic_id, partition))
        return newest
    finally:
        client.close()


def _to_end(client: Consumer) -> list[Message]:
    found: list[Message] = []
    while True:
        message = client.poll(_SECONDS)
        error = None if message is None else message.error()
        if message is None or (error is not None and error.code() != KafkaError._PARTITION_EOF):
            raise KafkaUnreachableError(f"what was published cannot be read: {error or 'no answer'}")
        if error is not None:
            return found
        found.append(message)


def _offset(message: Message, topic_id: str, partition: int) -> int:
    for name, value in cast("list[tuple[str, bytes | None]]", message.headers() or []):
        if name == HEADER and value is not None:
            known_id, known_partition, offset = value.decode().rsplit(":", 2)
            if (known_id, known_partition) == (topic_id, str(partition)):
                return int(offset)
    return -1
