"""The circuit breaker of an analyst's rule: pauses a rule that raises more than its limit."""

from dataclasses import dataclass, field
from typing import Any

_MINUTE_MS = 60_000
_KEPT_MINUTES = 60
_BACKLOG_MINUTES = 60


@dataclass
class CircuitBreaker:
    """Let one rule's alerts through up to its limit a minute; at the next one open, and stay open.

    A minute is one of the Kafka time of the bookings, not of the clock: a backlog that is worked off after a
    failure is no flood, and a replay stops at the same alert. Of the minutes in which the rule finds its
    bookings, none may have more than an hour's: a rule that finds old bookings anew is stopped, too.
    """

    is_open: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    """Alerts, by minute since 1970: `b` of the bookings, `f` of when they were found."""
    reset_at: int = 0
    """Kafka time of the last decision of an operator, milliseconds UTC."""
    former: "CircuitBreaker | None" = None
    """As it was before that: it judges what was found before, should that be read again."""

    def allow(self, written_at: int, found_at: int, per_minute: int) -> bool:
        """Count an alert, and decide whether it goes to its customer; else it is quarantined.

        Args:
            written_at: Kafka time of the booking, milliseconds UTC.
            found_at: Kafka time at which the rule found it.
            per_minute: The rule's limit.
        """
        if self.former is not None and found_at <= self.reset_at:
            return self.former.allow(written_at, found_at, per_minute)
        # Also when it is open: what is quarantined is remembered as long as its minute is (LimitRules).
        booked = self._count("b", written_at) > per_minute
        found = self._count("f", found_at) > per_minute * _BACKLOG_MINUTES
        self.is_open = self.is_open or booked or found
        return not self.is_open

    def reset(self, at: int) -> None:
        """Close it, as an operator decided at a Kafka time; earlier decisions that come again are ignored."""
        if at > self.reset_at:
            former = CircuitBreaker(self.is_open, self.counts)
            self.is_open, self.reset_at, self.counts, self.former = False, at, {}, former

    def minutes(self) -> set[int]:
        """Return the minutes of bookings that are remembered."""
        counts = [*self.counts, *(self.former.counts if self.former else ())]
        return {int(minute[1:]) for minute in counts if minute.startswith("b")}

    def _count(self, kind: str, time: int) -> int:
        minute = f"{kind}{time // _MINUTE_MS}"
        # The minutes used last are kept, whatever their age: one partition may be hours behind another.
        self.counts[minute] = self.counts.pop(minute, 0) + 1
        while len(self.counts) > 2 * _KEPT_MINUTES:
            del self.counts[next(iter(self.counts))]
        return self.counts[minute]

    def to_json(self) -> dict[str, Any]:
        """Convert to a value that JSON can hold, for Flink's state."""
        former = self.former.to_json() if self.former else None
        return {"is_open": self.is_open, "counts": self.counts, "reset_at": self.reset_at, "former": former}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "CircuitBreaker":
        """Convert back what :meth:`to_json` made."""
        former = cls.from_json(stored["former"]) if stored["former"] else None
        return cls(stored["is_open"], stored["counts"], stored["reset_at"], former)
