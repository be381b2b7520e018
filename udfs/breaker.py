"""Stops an analyst's rule that raises more than it said it would."""

from dataclasses import dataclass, field
from typing import Any

_MINUTE_MS = 60_000
_KEPT_MINUTES = 120


@dataclass
class Breaker:
    """Of one rule: lets so many alerts a minute through; at the next one it opens, and stays open.

    A minute is one of the Kafka time of the bookings, not of the clock: a backlog that is worked off after a
    failure is no flood, and a replay stops at the same alert.
    """

    is_open: bool = False
    reset_at: int = 0
    """When an operator closed it last, milliseconds UTC."""
    counts: dict[int, int] = field(default_factory=dict)
    """Alerts let through, by minute since 1970."""

    def lets_through(self, written_at: int, per_minute: int) -> bool:
        """Whether an alert about a booking of a Kafka time goes to its customer; else it is held."""
        if self.is_open:
            return False
        minute = written_at // _MINUTE_MS
        # The minutes used last are kept, whatever their age: one partition may be hours behind another.
        self.counts[minute] = self.counts.pop(minute, 0) + 1
        while len(self.counts) > _KEPT_MINUTES:
            del self.counts[next(iter(self.counts))]
        self.is_open = self.counts[minute] > per_minute
        return not self.is_open

    def reset(self, at: int) -> None:
        """An operator closes it; what was said before is not heard again."""
        if at > self.reset_at:
            self.is_open, self.reset_at, self.counts = False, at, {}

    def to_json(self) -> dict[str, Any]:
        """As a value that JSON can hold, for Flink's state."""
        return {"is_open": self.is_open, "reset_at": self.reset_at, "counts": self.counts}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Breaker":
        """As :meth:`to_json` stored it."""
        counts = {int(minute): count for minute, count in stored["counts"].items()}
        return cls(stored["is_open"], stored["reset_at"], counts)
