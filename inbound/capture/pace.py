"""Not more than so much a second."""

import time


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
