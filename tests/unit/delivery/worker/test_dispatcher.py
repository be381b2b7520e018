"""From a claim to an update: decide, send, and what each outcome means."""

import asyncio
from typing import Any

import pytest

from account_alerts.model.alerts import DeliveryState
from delivery.alert import Delivery
from delivery.gateways.base import Outcome, Result
from delivery.gateways.outcomes import About, outcome, rejected, retry
from delivery.ledger.writer import LedgerWriter
from delivery.policy import DeferralReason, Policy, RecipientState
from delivery.worker.capacity import Capacity
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.dispatcher import Dispatcher, SendSettings
from tests import builders
from tests.unit.delivery.alerts import ALERT, delivery, record
from tests.unit.delivery.fakes import LEASE, SENT, World, run, settle

HOUR = 3_600_000
NEXT_HOUR = HOUR - builders.NOON % HOUR
"""Until six in the evening in Amsterdam, where the alerts were written soon after five."""
FIRST_RETRY, LONGEST_RETRY = 1_000, 60_000
SETTING = {"account_id": ALERT["account_id"], "channels": ["EMAIL"], "snoozed_until": None}
KNOWN = RecipientState(known=True, addresses=["c1@example.com"], settings={"s1": SETTING}, authorized=True)


class Dispatched:
    """A dispatcher whose alerts are claimed in the ledger."""

    def __init__(self, world: World, timeout: int = 60_000) -> None:
        self.world, self.capacity = world, Capacity(100)
        self.breakers = CircuitBreakers(2.0, world.clock)
        self.writer = LedgerWriter(world.ledger, world.metrics, self.capacity.release)
        policy = Policy(36 * HOUR, 300_000)
        settings = SendSettings(policy, timeout, FIRST_RETRY, LONGEST_RETRY)
        self.dispatcher = Dispatcher(
            "EMAIL", settings, world.ports, self.writer, self.capacity, self.breakers, world.metrics
        )

    async def claim(self, *alert_ids: str, **fields: Any) -> list[Delivery]:
        """Claim new alerts; `fields` are the deliveries'."""
        await self.capacity.take_new(len(alert_ids))
        ends = self.world.clock.monotonic() + LEASE / 1000
        claimed = [
            delivery(
                **{
                    "alert": ALERT | {"alert_id": alert_id},
                    "source": record(alert_id=alert_id),
                    "lease_ends": ends,
                    "recipient": KNOWN,
                    **fields,
                }
            )
            for alert_id in alert_ids
        ]
        await self.world.ledger.claim(claimed)
        for each in claimed:
            self.world.table.rows[each.alert_id].attempts = each.attempt
        return claimed

    async def dispatch(self, *group: Delivery, probe: bool = False) -> None:
        """Dispatch a message, and have written what comes of it."""
        self.dispatcher.dispatch(group, probe)
        await settle()
        await self.writer.flush()

    def row(self, alert_id: str = "a") -> tuple[DeliveryState, int | None, str | None]:
        """Return state, milliseconds until it is due, and reason."""
        row = self.world.table.rows[alert_id]
        due = None if row.due_at is None else row.due_at - self.world.clock.now_ms()
        return row.state, due, row.reason


def test_an_alert_is_sent_and_its_place_is_free_again() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.clock.advance(0.25)
        await own.dispatch(*await own.claim("a"))
        [message] = world.gateway.sent
        assert (message.key, message.address) == ("a", "c1@example.com")
        assert own.row() == (DeliveryState.SENT, None, None)
        assert world.table.rows["a"].reference == "r1"
        assert own.capacity.in_flight == 0
        assert world.count("deliveries_total", state="SENT") == 1
        assert world.count("send_latency_seconds_sum") == 0.25

    run(send)


@pytest.mark.parametrize(
    ("fields", "due", "reason"),
    [
        ({"quiet_from": "17:00", "quiet_to": "18:00"}, NEXT_HOUR, DeferralReason.QUIET_HOURS),
        ({"digest": "HOURLY"}, NEXT_HOUR, DeferralReason.DIGEST),
        ({"settings": {"s1": SETTING | {"snoozed_until": 2**62}}}, 36 * HOUR + 1, DeferralReason.SNOOZE),
    ],
)
def test_an_alert_is_deferred(fields: dict[str, Any], due: int, reason: DeferralReason) -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        recipient = RecipientState(**KNOWN.__dict__ | {"time_zone": "Europe/Amsterdam"} | fields)
        await own.dispatch(*await own.claim("a", recipient=recipient))
        assert own.row() == (DeliveryState.DEFERRED, due, None)
        assert world.table.rows["a"].deferred_for is reason
        assert (world.gateway.sent, own.capacity.in_flight) == ([], 0)
        assert world.count("deliveries_total", state="DEFERRED") == 1

    run(send)


def test_a_deferred_alert_without_authorization_is_cancelled() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        gone = RecipientState(**KNOWN.__dict__ | {"authorized": False})
        claimed = await own.claim("a", recipient=gone, deferred_for=DeferralReason.SNOOZE, attempt=2)
        await own.dispatch(*claimed)
        state, due, reason = own.row()
        assert (state, due) == (DeliveryState.CANCELLED, None)
        assert reason == "the customer is no longer authorized for the account"
        assert world.gateway.sent == []

    run(send)


def test_an_alert_that_is_too_old_expires() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.clock.advance(36 * 3600 + 1)
        await own.dispatch(*await own.claim("a"))
        assert own.row()[0] is DeliveryState.EXPIRED
        assert world.count("deliveries_total", state="EXPIRED") == 1

    run(send)


def test_a_retry_waits_longer_after_each_attempt() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = retry("busy")
        for attempt in (1, 2, 3, 20):
            name = f"a{attempt}"
            await own.dispatch(*await own.claim(name, attempt=attempt))
            state, due, reason = own.row(name)
            whole = min(LONGEST_RETRY, FIRST_RETRY * 2 ** (attempt - 1))
            assert (state, reason) == (DeliveryState.RETRYING, "busy")
            assert due is not None
            assert whole / 2 <= due <= whole
        assert not own.breakers.is_open("EMAIL")

    run(send)


def test_a_gateway_says_how_long_to_wait() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = retry("throttled", after=90)
        await own.dispatch(*await own.claim("a"))
        assert own.row() == (DeliveryState.RETRYING, 90_000, "throttled")

    run(send)


def test_what_the_gateway_never_takes_becomes_a_dead_letter() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = rejected("SMTP 550 5.1.1")
        [claimed] = await own.claim("a")
        await own.dispatch(claimed)
        [letter] = world.dead_letters.letters
        assert (letter.source, letter.reason) == (claimed.source, "SMTP 550 5.1.1")
        assert own.row() == (DeliveryState.REJECTED, None, "SMTP 550 5.1.1")
        assert world.count("dead_letters_total") == 1

    run(send)


def test_a_device_that_is_gone_is_no_dead_letter() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = outcome(About.GONE, "HTTP 410")
        await own.dispatch(*await own.claim("a"))
        assert own.row() == (DeliveryState.REJECTED, None, "device is gone")
        assert world.dead_letters.letters == []
        assert (world.count("dead_letters_total"), world.count("gone_devices_total")) == (0, 1)
        # The gateway is up, and another device of the customer has its alert.
        world.gateway.answer = SENT
        await own.dispatch(*await own.claim("b"))
        assert own.row("b")[0] is DeliveryState.SENT

    run(send)


def test_what_a_gateway_refuses_about_us_is_sent_when_that_is_mended() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = outcome(About.US, "SMTP 554 5.7.1")
        await own.dispatch(*await own.claim("a"))
        await own.dispatch(*await own.claim("b"))
        assert len(world.gateway.sent) == 1
        assert own.row() == (DeliveryState.RETRYING, 0, "SMTP 554 5.7.1")
        assert own.row("b") == (DeliveryState.RETRYING, 0, "gateway down")
        assert world.dead_letters.letters == []
        world.gateway.answer = SENT
        world.clock.advance(1)
        for name in ("b", "a"):
            await own.dispatch(*await own.claim(f"{name}2"), probe=True)
        assert not own.breakers.is_open("EMAIL")

    run(send)


def test_an_address_in_doubt_is_rejected_when_others_are_taken() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = outcome(About.UNKNOWN, "SMTP 550")
        await own.dispatch(*await own.claim("a"))
        state, due, _ = own.row()
        assert state is DeliveryState.RETRYING
        assert due is not None
        assert due >= FIRST_RETRY / 2
        last = world.table.rows["a"].last_retry
        world.gateway.answers = [SENT]
        world.clock.advance(1)
        await own.dispatch(*await own.claim("other"))
        world.clock.advance(1)
        await own.dispatch(*await own.claim("again", attempt=4, last_retry=last))
        assert own.row("again") == (DeliveryState.REJECTED, None, "SMTP 550")
        assert len(world.dead_letters.letters) == 1

    run(send)


def test_the_ledger_says_rejected_only_when_the_dead_letter_is_written(monkeypatch: Any) -> None:
    async def send() -> None:
        world = World()
        own, written = Dispatched(world), asyncio.Event()

        async def write(_: object) -> None:
            await written.wait()

        monkeypatch.setattr(world.dead_letters, "write", write)
        world.gateway.answer = rejected("never")
        await own.dispatch(*await own.claim("a"))
        assert own.row()[0] is DeliveryState.CLAIMED
        written.set()
        await settle()
        await own.writer.flush()
        assert own.row()[0] is DeliveryState.REJECTED

    run(send)


def test_an_alert_that_cannot_be_rendered_is_rejected() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        broken = ALERT | {"alert_id": "a", "booked_at": 2**62}
        await own.dispatch(*await own.claim("a", alert=broken))
        state, _, reason = own.row()
        assert state is DeliveryState.REJECTED
        assert "cannot be rendered" in (reason or "")
        assert len(world.dead_letters.letters) == 1

    run(send)


def test_while_a_gateway_is_down_alerts_wait_and_a_probe_goes() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answer = retry("no connection", down=True)
        await own.dispatch(*await own.claim("a"))
        assert own.row() == (DeliveryState.RETRYING, 0, "no connection")
        await own.dispatch(*await own.claim("b"))
        assert own.row("b") == (DeliveryState.RETRYING, 0, "gateway down")
        assert len(world.gateway.sent) == 1
        world.gateway.answer = Outcome(Result.SENT)
        world.clock.advance(1)
        await own.dispatch(*await own.claim("c"), probe=True)
        assert own.row("c")[0] is DeliveryState.SENT
        assert not own.breakers.is_open("EMAIL")

    run(send)


def test_a_digest_is_one_message_and_each_alert_is_marked() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        group = await own.claim("a", "b", digest_id="d", deferred_for=DeferralReason.DIGEST, attempt=2)
        await own.dispatch(*group)
        [message] = world.gateway.sent
        assert message.data["alerts"] == "2"
        assert world.table.states() == {"a": DeliveryState.SENT, "b": DeliveryState.SENT}

    run(send)


def test_what_a_digest_may_not_have_any_more_is_left_out() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        fields: dict[str, Any] = {"digest_id": "d", "deferred_for": DeferralReason.DIGEST, "attempt": 2}
        [fine] = await own.claim("a", **fields)
        gone = RecipientState(**KNOWN.__dict__ | {"settings": {}})
        [cancelled] = await own.claim("b", recipient=gone, **fields)
        await own.dispatch(fine, cancelled)
        assert world.gateway.sent[0].data["alerts"] == "1"
        assert world.table.states() == {"a": DeliveryState.SENT, "b": DeliveryState.CANCELLED}

    run(send)


def test_the_message_is_for_the_reasons_that_may_go() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        low, out = ALERT["reasons"][0], {**ALERT["reasons"][0], "setting_id": "s2"}
        out |= {"alert_type": "DEBITED_ABOVE", "threshold_minor": 500}
        alert = ALERT | {"alert_id": "a", "reasons": [low, out]}
        settings = {"s1": SETTING | {"snoozed_until": 2**62}, "s2": SETTING}
        recipient = RecipientState(**KNOWN.__dict__ | {"settings": settings})
        await own.dispatch(*await own.claim("a", alert=alert, recipient=recipient))
        [message] = world.gateway.sent
        assert (message.key, message.data["alert_type"]) == ("a", "DEBITED_ABOVE")
        assert "fell below" not in message.text
        assert own.row()[0] is DeliveryState.SENT

    run(send)


def test_when_no_answer_comes_in_time_the_alert_is_sent_again_under_its_key() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world, timeout=1)
        world.gateway.hold = asyncio.Event()
        [claimed] = await own.claim("a")
        await own.dispatcher.send([claimed])
        await own.writer.flush()
        state, due, reason = own.row()
        assert (state, reason) == (DeliveryState.RETRYING, "no answer in time")
        assert due is not None
        assert due >= FIRST_RETRY / 2
        world.gateway.hold.set()
        [again] = await own.claim("again", alert=claimed.alert, attempt=2)
        await own.dispatcher.send([again])
        assert [message.key for message in world.gateway.sent] == ["a", "a"]

    run(send)


def test_time_outs_that_the_gateway_noticed_count_too() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        timeout = Outcome(Result.RETRY, reason="ReadTimeout", unanswered=True)
        ours = Outcome(Result.RETRY, reason="PoolTimeout", unasked=True)
        for number in range(20):
            assert not own.breakers.is_open("EMAIL")
            world.gateway.answers = [timeout, ours]
            await own.dispatch(*await own.claim(f"a{number}"))
            if number < 19:
                await own.dispatch(*await own.claim(f"b{number}"))
        assert own.breakers.is_open("EMAIL")
        assert own.row("a0")[2] == "ReadTimeout"

    run(send)


def test_an_alert_whose_lease_ends_too_soon_is_left_to_the_next() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        claimed = await own.claim("a")
        world.clock.advance(LEASE / 1000 - 59)  # A minute is what sending may take.
        await own.dispatch(*claimed)
        assert (world.gateway.sent, own.row()[0]) == ([], DeliveryState.CLAIMED)
        assert own.capacity.in_flight == 0
        assert world.count("lost_leases_total") == 1

    run(send)


def test_a_gateway_that_raises_costs_no_alert() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.answers = [ValueError("a defect")]
        await own.dispatch(*await own.claim("a"))
        assert own.row()[0] is DeliveryState.RETRYING
        assert own.row()[2] == "the gateway raised ValueError"
        assert own.capacity.in_flight == 0

    run(send)


def test_what_is_cancelled_while_it_is_sent_stays_claimed() -> None:
    async def send() -> None:
        world = World()
        own = Dispatched(world)
        world.gateway.hold = asyncio.Event()
        own.dispatcher.dispatch(await own.claim("a"))
        await settle()
        await own.dispatcher.cancel()
        await own.writer.flush()
        assert own.row() == (DeliveryState.CLAIMED, LEASE, None)

    run(send)
