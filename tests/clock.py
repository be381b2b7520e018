"""A clock that stands still until a test moves it."""


class FakeClock:
    """Time for tests: no sleeping, no chance."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._monotonic = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._now_ms += round(seconds * 1_000)

    def set_ms(self, now_ms: int) -> None:
        """Set the time of day, as an administrator may."""
        self._now_ms = now_ms
