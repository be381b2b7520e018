"""Updates behind the sending: many in one statement, and a place is free only when its update is written."""

import asyncio

import pytest

from account_alerts.model.alerts import DeliveryState
from delivery.alert import Delivery, DeliveryUpdate, retry_update, update_for
from delivery.ledger.writer import LedgerWriter
from tests.unit.delivery.alerts import ALERT, delivery, record
from tests.unit.delivery.fakes import SENT, World, run, settle


async def claimed(world: World, alert_id: str, attempt: int = 1) -> Delivery:
    own = delivery(alert=ALERT | {"alert_id": alert_id}, source=record(alert_id=alert_id), attempt=attempt)
    await world.ledger.claim([own])
    world.table.rows[alert_id].attempts = attempt
    return own


def sent(own: Delivery, world: World) -> DeliveryUpdate:
    return update_for(own, SENT, world.clock.now_ms(), 0)


def test_all_that_is_queued_is_written_at_once() -> None:
    async def write() -> None:
        world = World()
        done: list[Delivery] = []
        writer = LedgerWriter(world.ledger, world.metrics, done.extend)
        running = asyncio.create_task(writer.run())
        alerts = [await claimed(world, f"a{number}") for number in range(5)]
        for own in alerts:
            writer.add(sent(own, world), own)
        await settle()
        assert world.ledger.updates == 1
        assert done == alerts
        writer.add(retry_update(alerts[0], 1, 2, "late"), alerts[0])
        await settle()
        assert world.ledger.updates == 2
        assert world.table.states()["a0"] is DeliveryState.SENT
        running.cancel()

    run(write)


def test_nothing_is_released_when_the_ledger_does_not_take_it() -> None:
    async def write() -> None:
        world = World()
        done: list[Delivery] = []
        writer = LedgerWriter(world.ledger, world.metrics, done.extend)
        world.ledger.failure = ConnectionError("away for good")
        own = await claimed(world, "a")
        writer.add(sent(own, world), own)
        with pytest.raises(ConnectionError):
            await writer.run()
        assert done == []
        assert world.count("deliveries_total", state="SENT") == 0

    run(write)


def test_only_the_newest_claim_counts_except_for_what_was_sent() -> None:
    async def write() -> None:
        world = World()
        writer = LedgerWriter(world.ledger, world.metrics, lambda _: None)
        old, slow = await claimed(world, "old"), await claimed(world, "slow")
        for row in world.table.rows.values():
            row.attempts = 2  # Another process has taken both over.
        writer.add(retry_update(old, 1, 2, "busy"), old)
        writer.add(sent(slow, world), slow)
        await writer.flush()
        assert world.table.states() == {"old": DeliveryState.CLAIMED, "slow": DeliveryState.SENT}

    run(write)


def test_only_first_attempts_count_for_the_latency() -> None:
    async def write() -> None:
        world = World()
        writer = LedgerWriter(world.ledger, world.metrics, lambda _: None)
        world.clock.advance(2)
        for alert_id, attempt in (("a", 1), ("b", 2)):
            own = await claimed(world, alert_id, attempt)
            writer.add(sent(own, world), own)
        await writer.flush()
        assert world.count("send_latency_seconds_count") == 1
        assert world.count("send_latency_seconds_sum") == 2

    run(write)
