"""From an SMS to what is recorded of it, and how it is answered."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from account_alerts.model.errors import UnreachableError
from delivery.gateways.base import Outcome, Result
from delivery.gateways.outcomes import rejected, retry
from delivery.gateways.sms.incoming import IncomingSms, Part
from delivery.opt_out.bank import BankRecorder
from delivery.opt_out.check import BatchedCheck
from delivery.opt_out.keywords import Keyword, reply
from delivery.opt_out.metrics import OptOutMetrics
from delivery.opt_out.port import Change
from delivery.opt_out.receiver import CommandReceiver
from delivery.opt_out.replies import ReplySender
from tests.clock import FakeClock
from tests.unit.delivery.fakes import FakeGateway, run, settle
from tests.unit.delivery.opt_out.memory import MemoryOptOuts

NUMBER = "420777123456"


class Phone:
    """A customer, and two processes that share the ledger: one receives, the other answers."""

    def __init__(self) -> None:
        self.clock, self.gateway = FakeClock(1_000_000), FakeGateway()
        self.store = MemoryOptOuts(self.clock)
        self.registry = CollectorRegistry()
        metrics = OptOutMetrics(self.registry)
        self.receiver = CommandReceiver(self.store, "nl", metrics)
        self.replies = ReplySender(self.store, self.gateway, "Example Bank", 1, metrics)

    async def send(self, text: str, part: Part | None = None) -> None:
        """Send an SMS to the bank."""
        await self.receiver.receive(IncomingSms(NUMBER, "Bank", 8, text.encode("utf-16-be"), part))

    async def answers(self) -> list[str]:
        """Have what is due sent; returns all that the phone got so far."""
        await self.replies.send_due()
        return [message.text for message in self.gateway.sent]

    def count(self, keyword: str) -> float:
        return (
            self.registry.get_sample_value("account_alerts_sender_incoming_sms_total", {"keyword": keyword})
            or 0
        )


def test_stop_is_recorded_and_confirmed_once() -> None:
    async def work() -> None:
        phone = Phone()
        await phone.send("STOP")
        assert phone.store.stops == {NUMBER: True}
        assert await phone.answers() == [reply(Keyword.STOP, "nl", "Example Bank")]
        assert phone.gateway.sent[0].address == f"+{NUMBER}"
        assert phone.gateway.sent[0].is_wanted is None
        await phone.send("Stop")
        await phone.send("AFMELDEN")
        assert len(await phone.answers()) == 1
        assert phone.count("STOP") == 3

    run(work)


def test_start_takes_it_back_and_a_later_stop_counts_again() -> None:
    async def work() -> None:
        phone = Phone()
        await phone.send("START")
        assert await phone.answers() == []
        await phone.send("odhlásit")
        await phone.send("START")
        assert phone.store.stops == {NUMBER: False}
        await phone.send("Stopp")
        assert phone.store.stops == {NUMBER: True}
        assert await phone.answers() == [
            reply(Keyword.STOP, "cs", "Example Bank"),
            reply(Keyword.START, "nl", "Example Bank"),
            reply(Keyword.STOP, "de", "Example Bank"),
        ]

    run(work)


def test_help_is_answered_but_not_to_a_machine_that_answers_back() -> None:
    async def work() -> None:
        phone = Phone()
        for _ in range(5):
            await phone.send("HELP")
        assert await phone.answers() == [reply(Keyword.HELP, "nl", "Example Bank")]
        phone.clock.advance(61)
        await phone.send("Hilfe")
        assert (await phone.answers())[1:] == [reply(Keyword.HELP, "de", "Example Bank")]
        assert phone.store.stops == {}

    run(work)


def test_the_answer_is_in_the_customers_language() -> None:
    async def work() -> None:
        phone = Phone()
        phone.store.languages[NUMBER] = "cs"
        await phone.send("unsubscribe")
        assert await phone.answers() == [reply(Keyword.STOP, "cs", "Example Bank")]

    run(work)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_stop_in_parts(order: tuple[int, int]) -> None:
    async def work() -> None:
        phone = Phone()
        texts = {1: "ST", 2: "OP"}
        first, last = order
        await phone.send(texts[first], Part(9, 2, first))
        await phone.send(texts[first], Part(9, 2, first))
        assert phone.store.stops == {}
        await phone.send(texts[last], Part(9, 2, last))
        assert phone.store.stops == {NUMBER: True}
        assert phone.store.parts == {}

    run(work)


def test_what_is_no_command_is_counted_and_not_answered() -> None:
    async def work() -> None:
        phone = Phone()
        await phone.send("What is my balance?")
        assert (phone.store.stops, await phone.answers(), phone.count("none")) == ({}, [], 1)

    run(work)


def test_a_fault_is_told_to_who_delivers() -> None:
    async def work() -> None:
        phone = Phone()
        phone.store.failure = RuntimeError("no database")
        with pytest.raises(RuntimeError):
            await phone.send("STOP")

    run(work)


def test_no_more_sms_than_memory_has_room_for_wait_for_the_ledger() -> None:
    async def work() -> None:
        phone = Phone()
        phone.store.away = asyncio.Event()
        waiting = [asyncio.create_task(phone.send("STOP")) for _ in range(1_000)]
        await settle()
        with pytest.raises(UnreachableError):
            await phone.send("STOP")
        phone.store.away.set()
        await asyncio.gather(*waiting)
        await phone.send("START")
        assert phone.store.stops == {NUMBER: False}

    run(work)


def test_an_answer_is_tried_for_five_minutes() -> None:
    async def work() -> None:
        phone = Phone()
        phone.gateway.answers = [retry("down", down=True), RuntimeError("defect")]
        await phone.send("STOP")
        await phone.answers()
        phone.clock.advance(6)
        await phone.answers()
        phone.clock.advance(6)
        await phone.answers()
        assert [row.sent for row in phone.store.replies] == [True]
        phone.gateway.answer = Outcome(Result.RETRY, retry_after=200.0)
        await phone.send("START")
        for _ in range(4):
            await phone.answers()
            phone.clock.advance(201)
        assert phone.store.replies[1].due_at is None
        assert phone.store.replies[1].reason == "not sent within five minutes"
        assert len(phone.gateway.sent) == 5

    run(work)


def test_an_answer_that_is_rejected_is_not_tried_again() -> None:
    async def work() -> None:
        phone = Phone()
        phone.gateway.answer = rejected("no such number")
        await phone.send("STOP")
        await phone.answers()
        phone.clock.advance(600)
        await phone.answers()
        assert len(phone.gateway.sent) == 1
        assert phone.store.stops == {NUMBER: True}

    run(work)


def test_all_that_wait_are_asked_about_at_once() -> None:
    async def work() -> None:
        store = MemoryOptOuts(FakeClock())
        store.stops = {"31612345678": True}
        check = BatchedCheck(store)
        running = asyncio.create_task(check.run())
        written = ["+31 6 1234 5678", "0031612345678", "+31612345679", "no number"]
        found = await asyncio.gather(*map(check.is_stopped, written))
        assert found == [True, True, False, False]
        assert store.asked == [frozenset({"31612345678", "31612345679"})]
        store.stops = {}
        assert not await check.is_stopped(written[0])
        running.cancel()

    run(work)


def test_the_bank_gets_each_change_until_it_has_it() -> None:
    async def work() -> None:
        phone = Phone()
        written: list[Change] = []

        async def record(change: Change) -> None:
            written.append(change)

        recorder = BankRecorder(phone.store, record)
        await phone.send("STOP")
        assert await recorder.record_new() == 1
        assert await recorder.record_new() == 0
        await phone.send("START")
        await recorder.record_new()
        assert [(change.number, change.stopped) for change in written] == [(NUMBER, True), (NUMBER, False)]

    run(work)


def test_a_change_that_came_meanwhile_is_not_taken_for_recorded() -> None:
    async def work() -> None:
        phone = Phone()

        async def record(_: Change) -> None:
            if phone.store.stops[NUMBER]:
                phone.clock.advance(1)
                await phone.send("START")

        recorder = BankRecorder(phone.store, record)
        await phone.send("STOP")
        await recorder.record_new()
        assert [change.stopped for change in phone.store.pending.values()] == [False]

    run(work)
