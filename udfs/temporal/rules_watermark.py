"""The rules watermark: the Kafka time up to which all authorizations and settings have been read.

At every heartbeat interval the end-offset monitor asks Kafka for the last record of each partition that the
job alert-rules reads: whatever was written before has at most that offset. Each reader is responsible for a
group of these partitions, a shard. When it has read all of them up to those offsets, it passes the time of
the request on, behind the changes that it read. The fold takes the oldest of these times over all shards and
writes it behind the rules that it made. So completeness is never guessed from silence: not after a cold
start, not when a fetch hangs, not on a quiet night.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING = -1
"""The last offset of a partition without records."""


@dataclass(frozen=True)
class EndOffsets:
    """The log end offsets of a shard's partitions, as Kafka gave them."""

    time: int
    """When they were asked for, milliseconds UTC, less `rules.clock_skew`."""
    last_offsets: Mapping[str, int]
    """The last record of each partition, by "topic/partition"."""


@dataclass
class ShardProgress:
    """How far the partitions of one shard have been read."""

    read: dict[str, int] = field(default_factory=dict)
    """Offset of the last record read, by partition."""
    pending: EndOffsets | None = None
    """The offsets to be reached; those that come meanwhile are passed over."""

    def advance(self, partition: str, offset: int) -> int | None:
        """Note that a record was read; return the time that is complete now, if this was the last missing."""
        self.read[partition] = max(offset, self.read.get(partition, NOTHING))
        return self._reached()

    def expect(self, offsets: EndOffsets) -> int | None:
        """Set the offsets to be reached; return their time if they have been reached already."""
        if self.pending is None:
            self.pending = offsets
        return self._reached()

    def _reached(self) -> int | None:
        pending = self.pending
        if pending is None or any(
            self.read.get(name, NOTHING) < last for name, last in pending.last_offsets.items()
        ):
            return None
        self.pending = None
        return pending.time


def rules_watermark(shard_times: Mapping[int, int], shards: int) -> int | None:
    """Return the time up to which every shard has been read; None before each has passed one on."""
    return min(shard_times.values()) if len(shard_times) == shards else None
