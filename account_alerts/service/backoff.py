"""Exponential back-off with jitter."""

import random
from collections.abc import Callable

_MOST_DOUBLINGS = 40
"""Beyond, any pause is the longest; a float would overflow at last."""


class Backoff:
    """Pauses between attempts: each twice the one before, up to a longest; half of it is left to chance.

    Chance keeps clients that failed together from coming back together. The unit is that of `first`.
    """

    def __init__(self, first: float, longest: float, chance: Callable[[], float] = random.random) -> None:
        """Begin before the first attempt.

        Args:
            first: The pause after the first failure.
            longest: What no pause exceeds.
            chance: Gives a number between 0 and 1.
        """
        self._first, self._longest, self._chance = first, longest, chance
        self.failures = 0

    def after(self, failures: int) -> float:
        """Return the pause after so many failures (from 1), for callers who count them elsewhere."""
        whole = min(self._longest, self._first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
        return whole * (0.5 + self._chance() / 2)

    def next(self) -> float:
        """Count a failure and return the pause after it."""
        self.failures += 1
        return self.after(self.failures)

    def reset(self) -> None:
        """Forget the failures: an attempt succeeded."""
        self.failures = 0
