"""Ask Kafka for the last record of each partition that the job alert-rules reads."""

import logging
import time
from collections.abc import Iterable, Iterator

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from pyflink.common import Row
from pyflink.datastream import ProcessFunction, RuntimeContext

from account_alerts.config import Config
from account_alerts.kafka.clients import admin, consumer
from account_alerts.kafka.topics import check_partitions
from udfs.temporal.rules_watermark import NOTHING, EndOffsets

_log = logging.getLogger(__name__)
_TIMEOUT_S = 5.0

_Partition = tuple[str, int]
ShardOffsets = tuple[int, tuple[int, dict[str, int]]]
"""(shard, (time, last offsets)) of EndOffsets: plain, as all that passes between operators (`udfs`)."""


class EndOffsetMonitor(ProcessFunction):  # type: ignore[misc]
    """At every tick give the end offsets of each shard, or none while Kafka cannot be asked."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config
        self._interval = config.rules.probe_interval

    def open(self, runtime_context: RuntimeContext) -> None:
        """Connect."""
        self._reader = EndOffsetReader(self._config)

    def close(self) -> None:
        """Disconnect."""
        self._reader.close()

    def process_element(self, tick: Row, ctx: ProcessFunction.Context) -> Iterator[ShardOffsets]:
        """Give each shard the end offsets of its partitions; skip a tick that comes late."""
        if time.time() * 1000 - tick.now >= 2 * self._interval:
            return
        try:
            for shard, offsets in self._reader.read():
                yield shard, (offsets.time, dict(offsets.last_offsets))
        except kafka.KafkaException as error:
            _log.warning("cannot read the end offsets of the topics, trying again: %s", error)


class EndOffsetReader:
    """Read the last offsets of the partitions of both topics."""

    def __init__(self, config: Config) -> None:
        """Connect; the partitions are asked for at the first reading."""
        self._config = config
        self._shards = shard_count(config)
        self._admin: AdminClient = admin(config)
        self._consumer: kafka.Consumer = consumer(
            config, **{"enable.partition.eof": True, "fetch.wait.max.ms": 10}
        )
        self._ends: dict[_Partition, int] = {}
        self._last: dict[_Partition, int] = {}

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def read(self) -> Iterator[tuple[int, EndOffsets]]:
        """Give (shard, end offsets) for every shard.

        Raises:
            KafkaException: Kafka does not answer, or not in time.
            TopicError: A topic is missing or has another number of partitions than the configuration says.
        """
        now = int(time.time() * 1000) - self._config.rules.clock_skew
        if not self._last:
            self._last = dict.fromkeys(self._find_partitions(), NOTHING)
        ends = self._offsets(self._last, OffsetSpec.latest())  # type: ignore[no-untyped-call]
        moved = [partition for partition, end in ends.items() if self._ends.get(partition) != end]
        if moved:
            starts = self._offsets(moved, OffsetSpec.earliest())  # type: ignore[no-untyped-call]
            self._last |= self._find_last_records(
                {partition: (starts[partition], ends[partition]) for partition in moved}
            )
        self._ends = ends
        for shard in range(self._shards):
            yield (
                shard,
                EndOffsets(
                    now,
                    {
                        partition_name(topic, partition): last
                        for (topic, partition), last in self._last.items()
                        if assign_shard(partition, self._shards) == shard
                    },
                ),
            )

    def _find_partitions(self) -> list[_Partition]:
        topics = self._config.topics
        known = self._admin.list_topics(timeout=_TIMEOUT_S).topics
        check_partitions(self._config, known, ("account_authorizations", "alert_settings"))
        read = (topics.account_authorizations.name, topics.alert_settings.name)
        return [(topic, partition) for topic in read for partition in known[topic].partitions]

    def _offsets(self, of: Iterable[_Partition], spec: OffsetSpec) -> dict[_Partition, int]:
        """Ask each broker once, however many partitions there are."""
        wanted = {kafka.TopicPartition(*partition): spec for partition in of}
        found = self._admin.list_offsets(wanted, request_timeout=_TIMEOUT_S)
        return {(part.topic, part.partition): future.result().offset for part, future in found.items()}

    def _find_last_records(self, ends: dict[_Partition, tuple[int, int]]) -> dict[_Partition, int]:
        """Find the offset of the last record below each end.

        It is not always the one before the end: a transaction's marker and a compacted record take an offset
        too. So it looks back one offset, then ten, and so on.
        """
        last: dict[_Partition, int] = {}
        back = 1
        while missing := {partition: ends[partition] for partition in ends if partition not in last}:
            starts = {partition: max(low, high - back) for partition, (low, high) in missing.items()}
            for partition, offset in self._read_between(starts, missing).items():
                if offset != NOTHING or starts[partition] == missing[partition][0]:
                    last[partition] = offset
            back *= 10
        return last

    def _read_between(
        self, starts: dict[_Partition, int], ends: dict[_Partition, tuple[int, int]]
    ) -> dict[_Partition, int]:
        """Read each partition from its start to its end; return the last offset that had a record."""
        last = dict.fromkeys(starts, NOTHING)
        unread = {partition for partition, start in starts.items() if start < ends[partition][1]}
        self._consumer.assign([kafka.TopicPartition(*partition, starts[partition]) for partition in unread])
        while unread:
            message = self._consumer.poll(_TIMEOUT_S)
            if message is None:
                raise kafka.KafkaException(kafka.KafkaError(kafka.KafkaError._TIMED_OUT))
            partition = (str(message.topic()), int(message.partition() or 0))
            error = message.error()
            if error is not None and error.code() != kafka.KafkaError._PARTITION_EOF:
                raise kafka.KafkaException(error)
            offset = int(message.offset() or 0)
            end = ends[partition][1]
            if error is None and offset < end:
                last[partition] = offset
            if error is not None or offset >= end - 1:
                unread.discard(partition)
        return last


def shard_count(config: Config) -> int:
    """Return the number of shards; it must not follow the parallelism, for state belongs to a shard."""
    return max(config.topics.account_authorizations.partitions, config.topics.alert_settings.partitions)


def assign_shard(partition: int, shards: int) -> int:
    """Return the shard that a partition belongs to."""
    return partition % shards


def partition_name(topic: str, partition: int) -> str:
    """Build the name of a partition in EndOffsets."""
    return f"{topic}/{partition}"
