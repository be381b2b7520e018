"""How fast alerts go out: free places, a rate, what is down, and when to try again."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass


class Slots:
    """Places for alerts on their way; whoever wants some gets what is free, and waits for the first."""

    def __init__(self, count: int) -> None:
        """All are free."""
        self.count = self._free = count
        self._change = asyncio.Event()

    async def take(self, wanted: int) -> int:
        """Up to `wanted` places, at least one."""
        while self._free < 1:
            self._change.clear()
            await self._change.wait()
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    def force(self, count: int) -> None:
        """Take places that others may have: whoever waits gets one when so many more are free."""
        self._free -= count

    def release(self, count: int) -> None:
        """Give places back."""
        self._free += count
        self._change.set()

    @property
    def used(self) -> int:
        """Places that are taken."""
        return self.count - self._free


@dataclass
class _Down:
    probe_at: float
    wait: float


class Routes:
    """Which gateways are down. To one that is, a single alert is sent now and then; others wait meanwhile."""

    def __init__(self, max_probe_interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        """All are up; one that is down is probed after half a second, then less often, up to the longest."""
        self._longest, self._clock = max_probe_interval, clock
        self._down: dict[str, _Down] = {}

    def is_down(self, route: str) -> bool:
        """Whether alerts of the route have to wait."""
        return route in self._down

    def down(self) -> list[str]:
        """The routes that are down."""
        return list(self._down)

    def failed(self, route: str) -> bool:
        """A hand-over says that the route is down; returns whether that is new."""
        known = self._down.get(route)
        if known is None:
            self._down[route] = _Down(self._clock() + min(0.5, self._longest), min(0.5, self._longest))
        return known is None

    def answered(self, route: str) -> bool:
        """The route works; returns whether that is new."""
        return self._down.pop(route, None) is not None

    def to_probe(self) -> list[str]:
        """Routes whose time has come for a probe; each is put off until the next."""
        now = self._clock()
        ready = [route for route, state in self._down.items() if state.probe_at <= now]
        for route in ready:
            state = self._down[route]
            state.wait = min(state.wait * 2, self._longest)
            state.probe_at = now + state.wait
        return ready
