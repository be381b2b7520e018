"""The ledger in PostgreSQL: what an operator has sent again, and which alert a probe is."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.model.alerts import Channel, DeliveryState
from delivery.alert import Delivery, DeliveryUpdate, LastRetry, retry_update
from delivery.ledger.audit import explain
from delivery.ledger.port import DueAlert, Pending
from delivery.ledger.retry import Retried, Selection, retry
from delivery.ledger.store import LedgerStore
from tests.unit.delivery.alerts import ALERT, delivery, record

pytestmark = pytest.mark.environment


class Ledger:
    """The ledger, with alerts of a route and a reason of this test's own."""

    def __init__(self, config: Config) -> None:
        self.config, self.name = config, uuid.uuid4().hex
        self.route = f"EMAIL:{self.name}"

    def run(self, *names: str, reject: Sequence[str] = (), retrying: Sequence[str] = ()) -> None:
        """Claim new alerts; reject some, and have some tried again since a second."""
        now = time.time_ns() // 1_000_000
        claimed = {name: self._delivery(name) for name in names}
        updates = [
            DeliveryUpdate(self.id(name), 1, DeliveryState.REJECTED, now, reason=f"{self.name} 550")
            for name in reject
        ]
        updates += [retry_update(claimed[name], now, now - 1_000, self.name) for name in retrying]

        async def work(store: LedgerStore) -> None:
            await store.claim(list(claimed.values()))
            await store.update(updates)

        self._with_store(work)

    def claim_due(self, limit: int, **options: Any) -> list[DueAlert]:
        """Claim what is due of this route."""
        found: list[DueAlert] = []

        async def work(store: LedgerStore) -> None:
            found.extend(await store.claim_due(limit, only=[self.route], **options))

        self._with_store(work)
        return found

    def pending(self) -> list[Pending]:
        """What the ledger counts of this route."""
        found: list[Pending] = []

        async def work(store: LedgerStore) -> None:
            found.extend(each for each in await store.count_pending() if each.route == self.route)

        self._with_store(work)
        return sorted(found, key=lambda each: each.state, reverse=True)

    def execute(self, sql: str, *values: object) -> None:
        """Run a statement."""
        with database.connect(self.config.require("delivery")) as connection:
            connection.execute(sql, values)

    def id(self, name: str) -> str:
        """Return an alert's id."""
        return f"{self.name}-{name}"

    def _delivery(self, name: str) -> Delivery:
        alert = ALERT | {"alert_id": self.id(name)}
        source = replace(record(alert_id=self.id(name)), written_at=time.time_ns() // 1_000_000)
        return delivery(alert=alert, source=source, route=self.route)

    def _with_store(self, work: Any) -> None:
        async def run() -> None:
            store = LedgerStore(self.config.require("delivery"), Channel.EMAIL, 150_000, "p1")
            try:
                await work(store)
            finally:
                await store.close()

        asyncio.run(asyncio.wait_for(run(), 60))


@pytest.fixture
def ledger(postgres: Config) -> Ledger:
    """Of this test's own."""
    return Ledger(postgres)


def test_what_was_rejected_is_sent_again_once(ledger: Ledger) -> None:
    ledger.run("a", "b", "c", "old", "erased", reject=("a", "b", "old", "erased"))
    ledger.execute(
        "UPDATE deliveries SET written_at = now() - interval '30 days' WHERE alert_id = %s", ledger.id("old")
    )
    ledger.execute("UPDATE deliveries SET record = NULL WHERE alert_id = %s", ledger.id("erased"))
    chosen = Selection(reason=ledger.name, channel="email", since="1h")
    assert retry(ledger.config, chosen, dry_run=True) == Retried(sent_again=2, too_old=1, erased=1)
    assert ledger.claim_due(10) == []
    assert retry(ledger.config, chosen) == Retried(sent_again=2, too_old=1, erased=1)
    assert retry(ledger.config, chosen) == Retried(sent_again=0, too_old=1, erased=1)
    assert [due.attempt for due in ledger.claim_due(10)] == [2, 2]
    steps = [step["step"] for step in explain(ledger.config, ledger.id("a"))["steps"]]
    assert steps.index("REJECTED") < steps.index("RETRYING")
    # What is on its way is left alone.
    assert retry(ledger.config, Selection(alert_ids=[ledger.id("a"), ledger.id("c")])).sent_again == 0


def test_a_single_alert_is_sent_again_by_its_id(ledger: Ledger) -> None:
    ledger.run("a", "b", reject=("a", "b"))
    assert retry(ledger.config, Selection(alert_ids=[ledger.id("b")])) == Retried(1, 0, 0)
    [due] = ledger.claim_due(10)
    assert due.last_retry is not None
    assert due.last_retry.reason == "sent again by an operator"


def test_a_probe_is_the_alert_that_was_tried_least(ledger: Ledger) -> None:
    before = time.time_ns() // 1_000_000
    ledger.run("often", "once", retrying=("often", "once"))
    ledger.execute("UPDATE deliveries SET attempts = 7 WHERE alert_id = %s", ledger.id("often"))
    [once] = ledger.claim_due(1)
    [often] = ledger.claim_due(1)
    assert ledger.claim_due(1) == []
    assert (once.attempt, often.attempt) == (2, 8)
    assert often.last_retry is not None
    assert often.last_retry == LastRetry(ledger.name, often.last_retry.since)
    assert often.last_retry.since >= before


def test_what_waits_for_its_own_next_attempt_is_not_overdue(ledger: Ledger) -> None:
    """An address may be busy for a day; a route that does not send what is due is another matter."""
    ledger.run("busy", "held up")
    waiting = (
        "UPDATE deliveries SET state = 'RETRYING', due_at = now() + {} * interval '1 s' WHERE alert_id = %s"
    )
    ledger.execute(waiting.format(300), ledger.id("busy"))
    assert ledger.pending() == [Pending(DeliveryState.RETRYING, ledger.route, 1, 0), ANY]
    ledger.execute(
        "UPDATE deliveries SET written_at = now() - interval '1 day' WHERE route = %s", ledger.route
    )
    assert all(found.overdue == 0 for found in ledger.pending())
    ledger.execute(waiting.format(-90), ledger.id("held up"))
    [found] = ledger.pending()
    assert (found.state, found.count) == (DeliveryState.RETRYING, 2)
    assert 90 <= found.overdue < 90 + 300
