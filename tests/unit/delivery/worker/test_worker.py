"""A whole sender in memory: from Kafka to the gateway, and how it stops."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.config.gateways import Email, Fcm, Push
from account_alerts.model.alerts import DeliveryState
from delivery.alert import SourceRecord
from delivery.gateways.base import Receipt
from delivery.worker.worker import Worker
from tests import builders
from tests.unit.delivery.alerts import TOPIC, record
from tests.unit.delivery.fakes import World, run, settle

SETTINGS = load(PROJECT / "conf/local.yaml").require("senders")


class Running:
    """A worker that runs."""

    def __init__(self, world: World, **settings: Any) -> None:
        self.world, self.stop = world, asyncio.Event()
        chosen = SETTINGS.model_copy(update=settings)
        self.worker = Worker("EMAIL", TOPIC, chosen, world.ports, world.metrics)
        self.task = asyncio.create_task(self.worker.run(self.stop))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the worker work until something holds."""
        while not condition():
            assert not self.task.done(), self.task
            await asyncio.sleep(0)

    async def end(self) -> None:
        """Stop the worker in order."""
        self.stop.set()
        await self.task


def test_alerts_go_through_and_each_once() -> None:
    async def work() -> None:
        world = World()
        running = Running(world)
        ids = [f"a{number}" for number in range(30)]
        world.alerts.add(*(record(offset=n, alert_id=each) for n, each in enumerate([*ids, *ids])))
        world.alerts.add(SourceRecord(TOPIC, 0, 99, builders.NOON, b"k", b"garbage"))
        await running.until(lambda: set(world.table.states().values()) == {DeliveryState.SENT})
        await running.until(lambda: 99 in world.alerts.committed)
        assert world.metrics.is_ready()
        await running.end()
        assert not world.metrics.is_ready()
        assert sorted(message.key for message in world.gateway.sent) == sorted(ids)
        assert len(world.dead_letters.letters) == 1
        assert world.count("deliveries_total", state="SENT") == 30

    run(work)


def test_a_channel_says_what_its_section_allows() -> None:
    async def work() -> None:
        world = World()
        email = Email(host="localhost", port=25, sender="a@bank.example", disclosure="minimal")
        running = Running(world, email=email)
        world.alerts.add(record(alert_id="a"))
        await running.until(lambda: bool(world.gateway.sent))
        await running.end()
        assert world.gateway.sent[0].title == "News about your account"
        assert Push(fcm=Fcm()).disclosure == "no_balance"

    run(work)


def test_stopped_in_the_middle_it_lets_what_is_in_flight_arrive_and_takes_no_more() -> None:
    async def work() -> None:
        world = World()
        running = Running(world)
        world.gateway.hold = asyncio.Event()
        world.alerts.add(record(alert_id="a"))
        await running.until(lambda: bool(world.gateway.sent))
        running.stop.set()
        await settle()
        world.alerts.add(record(alert_id="b"))
        await settle()
        assert not running.task.done()
        world.gateway.hold.set()
        await running.task
        assert world.table.states() == {"a": DeliveryState.SENT}

    run(work)


def test_what_does_not_arrive_in_time_stays_claimed_for_the_next() -> None:
    async def work() -> None:
        world = World()
        running = Running(world, send_timeout=1)
        release = world.gateway.hold = asyncio.Event()
        world.alerts.add(record(alert_id="a"))
        await running.until(lambda: bool(world.gateway.sent))
        running.stop.set()
        await running.until(lambda: world.table.states()["a"] is DeliveryState.RETRYING)
        await running.task
        assert not release.is_set()
        assert world.table.rows["a"].due_at is not None

    run(work)


def test_a_ledger_that_takes_no_updates_ends_the_process_and_the_alert_stays_claimed() -> None:
    async def work() -> None:
        world = World()
        running = Running(world)
        world.ledger.failure = PermissionError("permission denied for table deliveries")
        world.alerts.add(record(alert_id="a"))
        with pytest.raises(PermissionError):
            await running.task
        assert world.table.states() == {"a": DeliveryState.CLAIMED}
        # The next process of this instance claims it again, and sends it under the same key.
        world.ledger.failure = None
        again = World(clock=world.clock)
        again.table, again.ports = world.table, replace(again.ports, ledger=world.ledger)
        assert await world.ledger.reclaim_own() == 1
        later = Running(again)
        await later.until(lambda: world.table.states()["a"] is DeliveryState.SENT)
        await later.end()
        assert [message.key for message in (*world.gateway.sent, *again.gateway.sent)] == ["a", "a"]
        assert world.table.rows["a"].attempts == 2

    run(work)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(ConnectionError("thrown out"), ConnectionError), (None, RuntimeError)],
)
def test_a_loop_that_ends_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, expected: type[Exception]
) -> None:
    async def work() -> None:
        world = World()

        async def read() -> None:
            if error is not None:
                raise error

        monkeypatch.setattr(world.alerts, "run", read)
        with pytest.raises(expected):
            await Running(world).task

    run(work)


def test_a_receipt_comes_later() -> None:
    async def work() -> None:
        world = World()
        running = Running(world)
        world.alerts.add(record(alert_id="a"))
        await running.until(lambda: world.table.states().get("a") is DeliveryState.SENT)
        await world.gateway.queue.put(Receipt("r1", delivered=True, at=builders.NOON))
        await running.until(lambda: world.table.states()["a"] is DeliveryState.DELIVERED)
        await running.end()

    run(work)


def test_it_reports_how_it_stands_and_prunes() -> None:
    async def work() -> None:
        world = World()
        world.alerts.lag = 17
        world.gateway.hold = asyncio.Event()
        running = Running(world)
        await running.until(lambda: bool(world.ledger.pruned))
        assert world.ledger.pruned == [SETTINGS.retention]
        await running.until(lambda: world.count("lag_records") == 17)
        await running.end()

    run(work)
