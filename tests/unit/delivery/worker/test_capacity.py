"""Places for alerts in flight."""

import asyncio

from delivery.worker.capacity import Capacity, Slots
from tests.unit.delivery.alerts import delivery
from tests.unit.delivery.fakes import run, settle


def test_slots_are_waited_for() -> None:
    async def use() -> None:
        slots = Slots(3)
        assert await slots.take(5) == 3
        waiting = asyncio.create_task(slots.take(2))
        await settle()
        assert not waiting.done()
        slots.release(1)
        assert await waiting == 1
        slots.overbook(2)
        slots.release(2)
        assert slots.used == 3

    run(use)


def test_due_alerts_take_half_of_the_places_at_most() -> None:
    async def use() -> None:
        capacity = Capacity(10)
        assert await capacity.wait_for_due(100) == 5
        capacity.occupy_due(5)
        waiting = asyncio.create_task(capacity.wait_for_due(1))
        await settle()
        assert not waiting.done()
        assert await capacity.take_new(100) == 5
        capacity.release([delivery(attempt=2)])
        assert await waiting == 1
        assert capacity.in_flight == 9

    run(use)


def test_new_alerts_wait_while_due_ones_overbook() -> None:
    async def use() -> None:
        capacity = Capacity(4)
        assert await capacity.take_new(3) == 3
        capacity.occupy_due(2)
        assert capacity.in_flight == 5
        waiting = asyncio.create_task(capacity.take_new(1))
        capacity.release([delivery()])
        await settle()
        assert not waiting.done()
        capacity.release([delivery()])
        assert await waiting == 1
        idle = asyncio.create_task(capacity.wait_until_idle())
        capacity.release([delivery(attempt=2), delivery(attempt=2), delivery()])
        await settle()
        assert not idle.done()
        capacity.release_unused(1)
        await idle

    run(use)
