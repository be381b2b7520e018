"""How often somebody may ask: each process counts by itself, as it would be overloaded by itself."""

from cachetools import LRUCache

from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from account_alerts.service.rate_limit import TokenBucket

_MOST_KNOWN = 20_000
"""Of those who asked last; who is forgotten begins anew."""


class RateLimits:
    """A bucket of tokens for each who asks."""

    def __init__(self, rate: float, burst: int, clock: Clock = SYSTEM_CLOCK) -> None:
        """Allow so many requests a second, and so many at once."""
        self._rate, self._burst, self._clock = rate, burst, clock
        self._buckets: LRUCache[str, TokenBucket] = LRUCache(_MOST_KNOWN)

    def allow(self, who: str) -> bool:
        """Tell whether somebody may ask now."""
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = TokenBucket(self._rate, self._burst, self._clock)
            # A bucket begins with the tokens of a second; the first page asks for more.
            bucket.give_back(max(0, int(self._burst - self._rate)))
        return bucket.try_take(1) == 1
