"""How many alerts a process may have in flight: new ones wait for a place, due ones have half of them."""

import asyncio
from collections.abc import Sequence

from delivery.alert import Delivery


class Slots:
    """A number of places; whoever wants some gets what is free, and waits for the first."""

    def __init__(self, count: int) -> None:
        """Begin with all places free."""
        self.count = self._free = count
        self._changed = asyncio.Event()

    async def take(self, wanted: int) -> int:
        """Take up to `wanted` places, at least one; returns how many."""
        await self.wait_for(1)
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    async def wait_for(self, free: int) -> int:
        """Wait until so many places are free; returns how many are."""
        while self._free < free:
            self._changed.clear()
            await self._changed.wait()
        return self._free

    def overbook(self, count: int) -> None:
        """Take places that others may have: whoever waits gets one when so many more are free."""
        self._free -= count

    def release(self, count: int) -> None:
        """Give places back."""
        self._free += count
        self._changed.set()

    @property
    def used(self) -> int:
        """The places that are taken."""
        return self.count - self._free


class Capacity:
    """The places of a process for alerts in flight, from the claim to the update in the ledger.

    New alerts take places before they are claimed. Due alerts (deferred ones, retries) may overbook, but no
    more than half of all places, so that neither kind keeps the other out.
    """

    def __init__(self, in_flight: int) -> None:
        """Have `in_flight` places."""
        self._all = Slots(in_flight)
        self._due = Slots(max(1, in_flight // 2))

    async def take_new(self, wanted: int) -> int:
        """Take up to `wanted` places for new alerts, at least one; returns how many."""
        return await self._all.take(wanted)

    def release_unused(self, count: int) -> None:
        """Give places back that no new alert needed."""
        self._all.release(count)

    async def wait_for_due(self, wanted: int) -> int:
        """Wait for a place for due alerts; returns how many there are, up to `wanted`."""
        return min(wanted, await self._due.wait_for(1))

    def occupy_due(self, count: int) -> None:
        """Take places for due alerts that are claimed already."""
        self._all.overbook(count)
        self._due.overbook(count)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give the places of deliveries back."""
        self._all.release(len(deliveries))
        self._due.release(sum(delivery.attempt > 1 for delivery in deliveries))

    async def wait_until_idle(self) -> None:
        """Wait until nothing is in flight."""
        await self._all.wait_for(self._all.count)

    @property
    def in_flight(self) -> int:
        """How many alerts are in flight."""
        return self._all.used
