"""After STOP no SMS is handed over: new, held, in a digest, or waiting for the gateway."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest

from account_alerts.model.alerts import DeliveryState
from delivery.policy import OPTED_OUT, DeferralReason, Policy
from delivery.worker.dispatcher import Dispatcher, SendSettings
from tests.unit.delivery.alerts import ALERT, record
from tests.unit.delivery.fakes import World, run, settle
from tests.unit.delivery.worker.test_dispatcher import HOUR, KNOWN, Dispatched

NUMBER = "+31612345678"
SMS = {**ALERT, "address": NUMBER}
RECIPIENT = replace(KNOWN, addresses=[NUMBER])


def reasons(*types: str) -> list[dict[str, Any]]:
    """Make reasons of these types, each of a setting of its own."""
    [first] = ALERT["reasons"]
    return [{**first, "setting_id": f"s{n}", "alert_type": each} for n, each in enumerate(types, 1)]


class FakeCheck:
    """Numbers that have opted out."""

    def __init__(self) -> None:
        self.stopped: set[str] = set()
        self.silent = False

    async def is_stopped(self, address: str) -> bool:
        if self.silent:
            await asyncio.Event().wait()
        return address in self.stopped

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        return {}


class Sender(Dispatched):
    """A dispatcher that asks about opt-outs."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.check = FakeCheck()
        policy = Policy(36 * HOUR, 300_000, mandatory=frozenset({"LOGIN_CODE"}))
        self.dispatcher = Dispatcher(
            "EMAIL",
            SendSettings(policy, 60_000, 1_000, 60_000),
            replace(world.ports, opt_outs=self.check),
            self.writer,
            self.capacity,
            self.breakers,
            world.metrics,
        )

    async def claim_sms(self, *ids: str, alert_type: str = "BALANCE_BELOW", **fields: Any) -> list[Any]:
        """Claim alerts to the number."""
        claimed = []
        for alert_id in ids:
            own: dict[str, Any] = {
                "alert_id": alert_id,
                "alert_type": alert_type,
                "reasons": reasons(alert_type),
            }
            source = record(address=NUMBER, **own)
            claimed += await self.claim(
                alert_id, alert=SMS | own, source=source, recipient=RECIPIENT, **fields
            )
        return claimed


@pytest.mark.parametrize("deferred_for", [None, *DeferralReason])
def test_an_alert_to_a_number_that_has_opted_out_is_cancelled(deferred_for: DeferralReason | None) -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        own.check.stopped = {NUMBER}
        await own.dispatch(*await own.claim_sms("a", deferred_for=deferred_for))
        assert own.row() == (DeliveryState.CANCELLED, None, OPTED_OUT)
        assert world.gateway.sent == []
        assert own.capacity.in_flight == 0

    run(work)


def test_a_stop_counts_while_the_alert_waits_for_the_gateway() -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        world.gateway.full = asyncio.Event()
        [alert] = await own.claim_sms("a")
        own.dispatcher.dispatch([alert])
        await settle()
        own.check.stopped = {NUMBER}
        world.gateway.full.set()
        await settle()
        await own.writer.flush()
        assert own.row()[0] is DeliveryState.CANCELLED
        assert world.gateway.sent == []

    run(work)


def test_others_go_out_and_mandatory_ones_too() -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        await own.dispatch(*await own.claim_sms("before"))
        own.check.stopped = {NUMBER}
        await own.dispatch(*await own.claim_sms("code", alert_type="LOGIN_CODE"))
        assert [message.key for message in world.gateway.sent] == ["before", "code"]

    run(work)


def test_of_several_reasons_only_those_that_are_mandatory_go_out() -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        [alert] = await own.claim_sms("a")
        both = replace(alert, alert=alert.alert | {"reasons": reasons("BALANCE_BELOW", "LOGIN_CODE")})
        own.check.stopped = {NUMBER}
        await own.dispatch(both)
        [message] = world.gateway.sent
        assert (message.key, message.data["alert_type"]) == ("a", "LOGIN_CODE")
        assert own.row()[0] is DeliveryState.SENT

    run(work)


def test_of_a_digest_only_what_is_mandatory_goes_out() -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        own.check.stopped = {NUMBER}
        digest = {"deferred_for": DeferralReason.DIGEST, "digest_id": "d1"}
        wanted = await own.claim_sms("code", alert_type="LOGIN_CODE", **digest)
        group = [*await own.claim_sms("a", "b", **digest), *wanted]
        await own.dispatch(*group)
        assert [own.row(each)[0] for each in ("a", "b", "code")] == [
            DeliveryState.CANCELLED,
            DeliveryState.CANCELLED,
            DeliveryState.SENT,
        ]
        [message] = world.gateway.sent
        assert message.data["alerts"] == "1"

    run(work)


def test_nothing_goes_out_while_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.worker.dispatcher._CHECK_SECONDS", 0.01)

    async def work() -> None:
        world = World()
        own = Sender(world)
        own.check.silent = True
        own.dispatcher.dispatch(await own.claim_sms("a"))
        while own.capacity.in_flight:
            await asyncio.sleep(0.01)
            await own.writer.flush()
        state, due_at, reason = own.row()
        assert (state, reason) == (
            DeliveryState.RETRYING,
            "the ledger did not say whether the number has opted out",
        )
        assert due_at is not None
        assert world.gateway.sent == []
        assert not own.breakers.is_open("EMAIL")

    run(work)


def test_a_withdrawn_probe_says_nothing_about_its_gateway() -> None:
    async def work() -> None:
        world = World()
        own = Sender(world)
        own.breakers.trip("EMAIL")
        own.check.stopped = {NUMBER}
        await own.dispatch(*await own.claim_sms("a"), probe=True)
        assert own.breakers.is_open("EMAIL")

    run(work)
