"""Whether the volume of alerts is unusual."""

from collections import deque
from dataclasses import dataclass, field

_WINDOW_MS = 60_000
_MEMORY_MS = 3_600_000
_SETTLED_MS = 600_000


@dataclass
class Volume:
    """Compares the alerts of the last minute with those a minute in the hour before it.

    Alerts are never held back by it: it only says when somebody should look. Until ten minutes are known
    nothing is unusual.
    """

    times_usual: float
    """From how many times the usual number on."""
    at_least: int
    """Alerts a minute that are never unusual."""
    totals: deque[tuple[int, int]] = field(default_factory=deque)
    """(milliseconds UTC, alerts ever) as it was seen, oldest first."""

    def see(self, now: int, total: int) -> bool:
        """Take in how many alerts there have ever been; whether those of the last minute are unusual."""
        self.totals.append((now, total))
        while self.totals[0][0] < now - _MEMORY_MS - _WINDOW_MS:
            self.totals.popleft()
        first_at, first = self.totals[0]
        minute_at, minute = self._at(now - _WINDOW_MS)
        if minute_at - first_at < _SETTLED_MS:
            return False
        usual = (minute - first) * _WINDOW_MS / (minute_at - first_at)
        return self.last_minute() > max(self.at_least, self.times_usual * usual)

    def last_minute(self) -> int:
        """How many alerts came in the last minute that was seen; after a pause, a minute of the pause."""
        now, total = self.totals[-1]
        at, before = self._at(now - _WINDOW_MS)
        return round((total - before) * _WINDOW_MS / max(_WINDOW_MS, now - at))

    def _at(self, time: int) -> tuple[int, int]:
        """What was seen last at or before a time; the oldest where nothing was."""
        return next((seen for seen in reversed(self.totals) if seen[0] <= time), self.totals[0])
