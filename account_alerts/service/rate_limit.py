"""A limit on how much is done a second."""

import asyncio

from account_alerts.service.clock import SYSTEM_CLOCK, Clock


class TokenBucket:
    """So many a second on average; what was not used is kept, up to a burst."""

    def __init__(self, rate: float | None, burst: float | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        """Begin with the tokens of a second, or with a burst if that is less.

        Args:
            rate: Tokens a second; None: without limit.
            burst: Tokens kept at most; by default those of a second, and never less than one.
            clock: Tells the time.
        """
        self._rate, self._clock = rate, clock
        self._burst = max(rate or 0.0, 1.0) if burst is None else burst
        self._tokens, self._at = min(rate or 0.0, self._burst), clock.monotonic()

    def try_take(self, wanted: int) -> int:
        """Take the tokens there are now, up to `wanted`; returns how many, maybe none."""
        if self._rate is None:
            return wanted
        self._refill(self._rate)
        granted = max(0, min(wanted, int(self._tokens)))
        self._tokens -= granted
        return granted

    async def take(self, wanted: int) -> int:
        """Take up to `wanted` tokens, waiting for the first; returns how many."""
        while (granted := self.try_take(wanted)) == 0:
            assert self._rate is not None
            await asyncio.sleep((1 - self._tokens) / self._rate + 0.001)
        return granted

    def give_back(self, count: int) -> None:
        """Return tokens that were not needed."""
        if self._rate is not None:
            self._tokens += count

    def spend(self, count: int) -> float:
        """Take tokens whether they are there or not; returns the seconds to pause before going on.

        For work in batches, whose size is known when it is done.
        """
        if self._rate is None:
            return 0.0
        self._refill(self._rate)
        self._tokens -= count
        return max(0.0, -self._tokens / self._rate)

    def _refill(self, rate: float) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * rate)
        self._at = now
