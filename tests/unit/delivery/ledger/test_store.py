"""Rows of the ledger: what is written, what is read, and what is nobody's fault."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg import errors

from account_alerts.config.postgres import Database
from account_alerts.model.alerts import Channel, DeliveryState
from delivery.alert import LastRetry
from delivery.gateways.base import Receipt
from delivery.ledger import statements
from delivery.ledger.port import RejectedByLedgerError
from delivery.ledger.store import LedgerStore, due_alert, last_retry, new_row, recipient_state
from delivery.policy import DeferralReason, RecipientState
from tests import builders
from tests.clock import FakeClock
from tests.unit.delivery.alerts import ALERT, delivery, record
from tests.unit.delivery.fakes import LEASE

NO_PROFILE: dict[str, Any] = dict.fromkeys(
    ("time_zone", "quiet_from", "quiet_to", "digest", "addresses", "settings", "authorized")
)
PROFILE = NO_PROFILE | {
    "time_zone": "Europe/Prague",
    "addresses": {"EMAIL": ["c1@example.com"], "SMS": ["+420777123456"]},
    "settings": {"s1": {"account_id": "a1"}},
    "authorized": None,
}


class FakeSession:
    """A session that answers with rows, or fails."""

    def __init__(self, *answers: list[dict[str, Any]] | Exception) -> None:
        self.answers, self.ran = list(answers), []  # type: ignore[var-annotated]
        self.back_since: float | None = None

    async def run(self, sql: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        self.ran.append((sql, values))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def new_store(clock: FakeClock | None = None, **sessions: FakeSession) -> LedgerStore:
    database = Database(host="h", port=5432, name="n", user="u")
    store = LedgerStore(database, Channel.EMAIL, LEASE, "p1", clock or FakeClock())
    for name, session in sessions.items():
        setattr(store, f"_{name}", session)
    return store


def test_a_new_row_has_the_record_as_it_stood_on_kafka() -> None:
    row = new_row(delivery())
    assert base64.b64decode(row["record"]) == record().value
    assert (row["alert_id"], row["route"], row["offset"]) == ("0123", "EMAIL", 7)
    assert row["other_setting_ids"] is None
    assert new_row(delivery(alert=ALERT | {"raised_at": 2**62}))["raised_at"] is None


def test_a_new_row_has_the_settings_of_all_reasons() -> None:
    [first] = ALERT["reasons"]
    more = [first, *({**first, "setting_id": name} for name in ("s2", "s3", "s2"))]
    row = new_row(delivery(alert=ALERT | {"reasons": more}))
    assert (row["setting_id"], row["other_setting_ids"]) == ("s1", ["s2", "s3"])


def test_the_recipient_of_a_row() -> None:
    assert recipient_state(NO_PROFILE, "EMAIL") == RecipientState()
    known = recipient_state(PROFILE, "EMAIL")
    assert known.settings == {"s1": {"account_id": "a1"}}
    assert (known.known, known.addresses, known.authorized) == (True, ["c1@example.com"], False)
    assert recipient_state(PROFILE, "PUSH").addresses == ()


def test_a_due_row_is_typed() -> None:
    at = datetime.fromtimestamp(builders.NOON / 1000, UTC)
    own = {"record": b"r", "source_partition": 1, "source_offset": 2, "written_at": at, "route": "EMAIL"}
    row = PROFILE | own | {"attempts": 3, "deferred_for": "digest", "digest_id": "d", "steps": []}
    row |= {"reason": None}
    found = due_alert(row, "EMAIL")
    assert (found.written_at, found.attempt, found.digest_id) == (builders.NOON, 3, "d")
    assert found.deferred_for is DeferralReason.DIGEST
    assert found.last_retry is None
    assert due_alert(row | {"deferred_for": None}, "EMAIL").deferred_for is None


def test_a_due_row_says_why_it_waits_and_since_when() -> None:
    retried = {"at": 5, "step": "RETRYING", "reason": "SMTP 550"}
    deferred = {"at": 6, "step": "DEFERRED", "reason": "quiet"}
    assert last_retry({"reason": "SMTP 550", "steps": [retried]}) == LastRetry("SMTP 550", 5)
    assert last_retry({"reason": None, "steps": [retried, deferred]}) is None
    assert last_retry({"reason": "other", "steps": [retried]}) is None
    assert last_retry({"reason": None, "steps": []}) is None


def test_a_probe_is_one_of_the_oldest() -> None:
    session = FakeSession([], [])
    store = new_store(due=session)
    asyncio.run(store.claim_due(250))
    asyncio.run(store.claim_due(1, only=["FCM"]))
    taken = [(values["candidates"], values["limit"]) for _, values in session.ran]
    assert taken == [(250, 250), (200, 1)]


def test_what_the_ledger_cannot_hold_is_told_apart_from_tables_of_another_version() -> None:
    rejected = new_store(claims=FakeSession(errors.ProgramLimitExceeded("index row size")))
    with pytest.raises(RejectedByLedgerError, match="ProgramLimitExceeded"):
        asyncio.run(rejected.claim([delivery()]))
    for error in (errors.CheckViolation("state"), errors.UndefinedColumn("lease_owner")):
        with pytest.raises(type(error)):
            asyncio.run(new_store(claims=FakeSession(error)).claim([delivery()]))


def test_after_an_outage_nothing_is_taken_over_for_the_length_of_a_lease() -> None:
    clock, session = FakeClock(), FakeSession([], [], [])
    store = new_store(clock, due=session)
    asyncio.run(store.claim_due(5))
    session.back_since = clock.monotonic()
    clock.advance(LEASE / 1000)
    asyncio.run(store.claim_due(5, only=("FCM",)))
    clock.advance(0.001)
    asyncio.run(store.claim_due_digests(5, without=["FCM"]))
    assert [values["take_over"] for _, values in session.ran] == [True, False, True]
    assert [values["only"] for _, values in session.ran] == [None, ["FCM"], None]
    assert [sql for sql, _ in session.ran] == [
        statements.CLAIM_DUE,
        statements.CLAIM_DUE,
        statements.CLAIM_DUE_DIGESTS,
    ]


def test_receipts_fit_into_the_ledger() -> None:
    session = FakeSession([{"reference": "r" * 200, "state": "DELIVERED"}])
    store = new_store(due=session)
    receipt = Receipt("r\0" * 300, True, 2**62, "x\0" * 900)
    assert asyncio.run(store.apply_receipts([receipt])) == {"r" * 200: DeliveryState.DELIVERED}
    [(_, values)] = session.ran
    [row] = json.loads(values["rows"])
    assert (row["reference"], row["at"], row["reason"]) == ("r" * 200, None, "x" * 500)
    assert values["keys"] == ["r" * 200]
