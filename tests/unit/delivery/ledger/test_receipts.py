"""Receipts: they wait for the update of the alert that they belong to, but not for ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from account_alerts.model.alerts import DeliveryState
from delivery.alert import update_for
from delivery.gateways.base import Receipt
from delivery.ledger.receipts import ReceiptWriter
from tests.unit.delivery.alerts import delivery
from tests.unit.delivery.fakes import SENT, World, run, settle


async def send(world: World) -> None:
    own = delivery()
    await world.ledger.claim([own])
    await world.ledger.update([update_for(own, SENT, world.clock.now_ms(), 0)])


@pytest.mark.parametrize(
    ("delivered", "state"), [(True, DeliveryState.DELIVERED), (False, DeliveryState.UNDELIVERED)]
)
def test_a_receipt_says_what_became_of_an_alert(delivered: bool, state: DeliveryState) -> None:
    async def confirm() -> None:
        world = World()
        receipts = ReceiptWriter(world.ledger, world.gateway, world.metrics, world.clock)
        await send(world)
        receipts.add(Receipt("r1", delivered, 5))
        await receipts.apply()
        assert world.table.states() == {"0123": state}
        assert world.count("deliveries_total", state=state) == 1

    run(confirm)


def test_a_receipt_may_be_there_before_the_update() -> None:
    async def confirm() -> None:
        world = World()
        receipts = ReceiptWriter(world.ledger, world.gateway, world.metrics, world.clock)
        receipts.add(Receipt("r1", True, 5))
        await receipts.apply()
        await send(world)
        world.clock.advance(59)
        await receipts.apply()
        assert world.table.states() == {"0123": DeliveryState.DELIVERED}
        await receipts.apply()
        assert world.count("deliveries_total", state="DELIVERED") == 1

    run(confirm)


def test_a_receipt_of_nobody_is_forgotten_after_a_minute() -> None:
    async def confirm() -> None:
        world = World()
        receipts = ReceiptWriter(world.ledger, world.gateway, world.metrics, world.clock)
        receipts.add(Receipt("r1", True, 5))
        world.clock.advance(60)
        await receipts.apply()
        await send(world)
        await receipts.apply()
        assert world.table.states() == {"0123": DeliveryState.SENT}

    run(confirm)


def test_receipts_are_read_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def confirm() -> None:
        world = World()
        calls: list[int] = []

        async def receipts() -> AsyncIterator[Receipt]:
            calls.append(len(calls))
            if len(calls) == 1:
                raise ConnectionError("the session ended")
            yield Receipt("r1", True, 5)
            await asyncio.Event().wait()

        monkeypatch.setattr(world.gateway, "receipts", receipts)
        monkeypatch.setattr("delivery.ledger.receipts._RETRY_SECONDS", 0)
        writer = ReceiptWriter(world.ledger, world.gateway, world.metrics, world.clock)
        await send(world)
        reading = asyncio.create_task(writer.read())
        await settle()
        await writer.apply()
        reading.cancel()
        assert (calls, world.table.states()) == ([0, 1], {"0123": DeliveryState.DELIVERED})

    run(confirm)
