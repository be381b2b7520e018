"""How far a partition of changes was published, as the published records themselves say.

Every published record names in a header the change it was. So a publisher that was killed between Kafka's
acknowledgement and the commit of its offsets knows what is there already, and never writes an old version of
a record after a newer one. Changes and the records they become have the same keys and numbers of partitions,
so each partition of changes becomes one partition of records.
"""

from typing import Protocol, cast

from confluent_kafka import Message, TopicCollection

from account_alerts.config import Config
from account_alerts.kafka.clients import admin, read_to_end

HEADER = "capture.position"
_LOOK_BACK = 1_000
"""Offsets that are read: others may have written after the publisher (`alerts settings put`)."""
_SECONDS = 30.0


class Positions(Protocol):
    """Where the position of a change is written and read."""

    def header(self, changes: str, partition: int, offset: int) -> tuple[str, bytes]:
        """Make the header of the record that a change becomes."""
        ...

    def published(self, changes: str, records: str, partition: int) -> int:
        """Return the offset of the newest change of a partition that is published; -1 where none is known."""
        ...


class RecordPositions:
    """Positions in the headers of the records on Kafka."""

    def __init__(self, config: Config) -> None:
        """Prepare; Kafka is asked when it is needed first."""
        self._config = config
        self._topic_ids: dict[str, str] = {}

    def header(self, changes: str, partition: int, offset: int) -> tuple[str, bytes]:
        """Make the header of the record that a change becomes.

        Args:
            changes: The topic of the changes.
            partition: The change's.
            offset: The change's.
        """
        return HEADER, f"{self._topic_id(changes)}:{partition}:{offset}".encode()

    def published(self, changes: str, records: str, partition: int) -> int:
        """Return the offset of the newest change of a partition that is published; -1 where none is known.

        Args:
            changes: The topic of the changes.
            records: The topic of the records they become.
            partition: Of both.

        Raises:
            KafkaUnreachableError: Kafka does not answer.
        """
        topic_id = self._topic_id(changes)
        tail = read_to_end(self._config, records, partition, last=_LOOK_BACK, silence=_SECONDS)
        return max((change_offset(message, topic_id, partition) for message in tail), default=-1)

    def _topic_id(self, topic: str) -> str:
        """Return Kafka's id of a topic: one that was created anew begins at offset 0 again."""
        if topic not in self._topic_ids:
            client = admin(self._config)  # Its requests end with it.
            [future] = client.describe_topics(TopicCollection([topic])).values()
            self._topic_ids[topic] = str(future.result().topic_id)
        return self._topic_ids[topic]


def change_offset(record: Message, topic_id: str, partition: int) -> int:
    """Return the offset of the change that a record was; -1 where it names no such change."""
    for name, value in cast("list[tuple[str, bytes | None]]", record.headers() or []):
        if name == HEADER and value is not None:
            known_id, known_partition, offset = value.decode().rsplit(":", 2)
            if (known_id, known_partition) == (topic_id, str(partition)):
                return int(offset)
    return -1
