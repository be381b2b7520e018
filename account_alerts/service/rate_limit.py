"""Not more than so much a second."""

import asyncio
import time
from collections.abc import Callable


class Pace:
    """Lets somebody who works in batches go on at a given rate, with a tenth of a second's work at once."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._due = time.monotonic()

    def spend(self, count: int) -> None:
        """Note that so many were done; sleep for as long as that was too quick."""
        now = time.monotonic()
        # What was not used in quiet times is not made up for later.
        self._due = max(self._due, now - 0.1) + count / self._rate
        if self._due > now:
            time.sleep(self._due - now)


class Bucket:
    """A rate: so many a second on average, and at once as many as come together in a second."""

    def __init__(self, rate: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """`rate` a second; None: without limit."""
        self._rate, self._clock = rate, clock
        self._tokens, self._at = rate or 0.0, clock()

    async def take(self, wanted: int) -> int:
        """Up to `wanted` permits, at least one."""
        while (granted := self.try_take(wanted)) == 0:
            assert self._rate is not None
            await asyncio.sleep((1 - self._tokens) / self._rate + 0.001)
        return granted

    def try_take(self, wanted: int) -> int:
        """The permits there are now, up to `wanted`."""
        if self._rate is None:
            return wanted
        now = self._clock()
        self._tokens = min(max(self._rate, 1.0), self._tokens + (now - self._at) * self._rate)
        self._at = now
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted

    def give_back(self, count: int) -> None:
        """Permits that were not needed."""
        if self._rate is not None:
            self._tokens += count
