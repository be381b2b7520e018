"""Up to when the rules are complete.

A prober looks, every heartbeat interval, at the last record of each partition that the alert-rules job reads:
all that was written before the look has an offset of at most that. A router reads a group of these partitions
("shard"); when it has read that far, it says so to all folds, behind the changes it read; a fold that heard
so from every shard knows all changes up to the time of the oldest such look, and writes it behind the rules
it made of them. So nothing is guessed from silence: not after a cold start, not when a fetch hangs, not on a
quiet night.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING = -1
"""The last offset of a partition without records."""


@dataclass(frozen=True)
class Look:
    """What the prober saw: at ``time`` (milliseconds UTC) the last record of each partition, as
    "topic/partition"."""

    time: int
    last_offsets: Mapping[str, int]


@dataclass
class ShardProgress:
    """How far one router has read its partitions."""

    read: dict[str, int] = field(default_factory=dict)
    """Offset of the last record read, by partition."""
    pending: Look | None = None
    """The look that is waited for; later ones are passed over until it is reached."""

    def saw(self, partition: str, offset: int) -> int | None:
        """A record was read; the time that is now complete, if this was the last one waited for."""
        self.read[partition] = max(offset, self.read.get(partition, NOTHING))
        return self._reached()

    def look(self, look: Look) -> int | None:
        """A look came in; its time if all it saw has been read already."""
        if self.pending is None:
            self.pending = look
        return self._reached()

    def _reached(self) -> int | None:
        look = self.pending
        if look is None or any(
            self.read.get(name, NOTHING) < last for name, last in look.last_offsets.items()
        ):
            return None
        self.pending = None
        return look.time


def complete_until(shard_times: Mapping[int, int], shards: int) -> int | None:
    """The time up to which every shard has been read; None before each has said so once."""
    return min(shard_times.values()) if len(shard_times) == shards else None
