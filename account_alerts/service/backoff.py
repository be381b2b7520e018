"""TODO."""

import random
from collections.abc import Callable


def back_off(attempt: int, first: int, longest: int, chance: Callable[[], float] = random.random) -> int:
    """Milliseconds until the next attempt: twice as long after each, between half of it and all of it.

    Args:
        attempt: How many there were, from 1.
        first: After the first one.
        longest: At most.
        chance: Between 0 and 1.
    """
    whole = min(longest, first * 2 ** min(attempt - 1, 40))
    return int(whole * (0.5 + chance() / 2))
