"""The time, as an argument: tests hand in a clock that they move."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tell the time in the two ways a program needs it."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z; may jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Return seconds since some moment; never goes back."""
        return time.monotonic()


SYSTEM_CLOCK = SystemClock()
