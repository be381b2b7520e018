"""The operator's look-up over real databases: what is found, what the rules were then, and who looked."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.postgres import DatabaseError
from account_alerts.records.codec import codec
from operations.migrations import FOLDER, migrate
from web.auth.identity import Identity, Role
from web.operator.told import Event, events
from web.operator.why import judge
from web.store import actions, lookup
from web.store.actions import Action
from web.store.pools import Store

pytestmark = pytest.mark.environment
BOOKED = datetime(2026, 11, 30, 14, 3, 7, 120_000, UTC)
OPERATOR = Identity("operator-1", None, frozenset({Role.OPERATOR}))
_BANK = """
INSERT INTO customers (customer_id) VALUES ('look-c');
INSERT INTO accounts VALUES ('look-a');
INSERT INTO access_rights VALUES ('look-a', 'look-c');
INSERT INTO bookings (entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at,
  entry_type)
VALUES ('look-e', 'look-a', 'EUR', 31240, 'DBIT', 8416, '2026-11-30T14:03:07.120Z', 'CARD'),
  ('look-quiet', 'look-a', 'EUR', 280, 'DBIT', 8136, '2026-11-30T15:00:00Z', 'CARD');
INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels, threshold_minor)
VALUES ('look-c', 'kept', 'look-a', 'EUR', 'DEBITED_ABOVE', '{EMAIL}', 25000),
  ('look-c', 'gone', 'look-a', 'EUR', 'BALANCE_BELOW', '{SMS}', 10000);
-- All of this was so before the booking; after it the customer changed their mind.
UPDATE history SET changed_at = '2026-11-01T00:00:00Z'
WHERE coalesce(new_row, old_row) ->> 'customer_id' = 'look-c';
UPDATE preferences SET threshold_minor = 99999999 WHERE setting_id = 'kept';
DELETE FROM preferences WHERE setting_id = 'gone';
UPDATE history SET changed_at = '2026-12-01T00:00:00Z'
WHERE coalesce(new_row, old_row) ->> 'customer_id' = 'look-c' AND action IN ('UPDATE', 'DELETE');
"""
_DELIVERY = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, customer_id, address, account_id,
  entry_id, setting_id, record, source_partition, source_offset, raised_at, written_at, received_at,
  claimed_at, sent_at, lease_owner, attempts)
VALUES ('look-alert', 'EMAIL', 'EMAIL', 'SENT', 'DEBITED_ABOVE', 'look-c', 'anna@example.com', 'look-a',
  'look-e', 'kept', %s, 2, 91377, %s, %s, %s, %s, %s, 'p', 1)
"""


@dataclass
class Databases:
    """Both, of the test's own."""

    config: Config
    bank: Database

    def find(self, who: str, begin: datetime | None = None, end: datetime | None = None) -> list[Event]:
        """Look something up."""

        async def found() -> list[Event]:
            bank, ledger = Store(self.bank, 2), Store(self.config.require("delivery"), 2)
            await bank.open()
            await ledger.open()
            try:
                async with ledger.read() as connection:
                    rows = await lookup.deliveries(connection, who, begin, end)
                async with bank.read() as connection:
                    booked = await lookup.bookings(connection, who, begin, end)
            finally:
                await bank.close()
                await ledger.close()
            decoder = codec(self.config)
            return events(
                [(row, decoder.decode("OutboundAlert", bytes(row["record"]))) for row in rows], booked
            )

        return asyncio.run(found())


def alert() -> dict[str, Any]:
    return {
        "alert_id": "look-alert",
        "customer_id": "look-c",
        "channel": "EMAIL",
        "address": "anna@example.com",
        "alert_type": "DEBITED_ABOVE",
        "account_id": "look-a",
        "currency": "EUR",
        "entry_id": "look-e",
        "setting_id": "kept",
        "booked_at": round(BOOKED.timestamp() * 1000),
        "raised_at": round(BOOKED.timestamp() * 1000) + 21,
        "language": "en",
        "params": {"amount_minor": "31240", "balance_minor": "8416", "credit_debit": "DBIT"},
        "reasons": [
            {
                "setting_id": "kept",
                "alert_type": "DEBITED_ABOVE",
                "threshold_minor": 25_000,
                "count": None,
                "window_minutes": None,
            }
        ],
    }


@pytest.fixture
def databases(postgres: Config, empty: Database) -> Iterator[Databases]:
    migrate(empty, FOLDER / "bank")
    with database.connect(empty) as connection:
        connection.execute(_BANK)
    record = codec(postgres).encode("OutboundAlert", alert(), "outbound-email")
    with database.connect(postgres.require("delivery")) as connection:
        connection.execute(_DELIVERY, [record, *[BOOKED] * 5])
    yield Databases(postgres, empty)
    with database.connect(postgres.require("delivery")) as connection:
        connection.execute("DELETE FROM deliveries WHERE alert_id = 'look-alert'")


@pytest.mark.parametrize("who", ["look-c", "look-a", "look-e", "look-alert"])
def test_an_alert_is_found_by_customer_account_booking_and_its_own_id(databases: Databases, who: str) -> None:
    found = {event.key: event for event in databases.find(who)}
    assert found["look-e"].summary == "Told: e-mail"
    assert found["look-e"].messages[0].reasons == ("More than €250.00 goes out at once (setting kept)",)
    assert ("look-quiet" in found) == (who in ("look-c", "look-a"))
    if "look-quiet" in found:
        assert found["look-quiet"].summary == "No alert was raised"


def test_nobody_else_is_found_and_no_other_day(databases: Databases) -> None:
    assert databases.find("look") == []
    day = datetime(2026, 11, 29, tzinfo=UTC)
    assert databases.find("look-c", day, datetime(2026, 11, 30, tzinfo=UTC)) == []
    assert databases.find("look-c", datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


def test_the_settings_are_those_of_the_bookings_time(databases: Databases) -> None:
    async def then(at: int) -> list[dict[str, Any]]:
        bank = Store(databases.bank, 1)
        await bank.open()
        try:
            async with bank.read() as connection:
                assert await lookup.holders(connection, "look-a") == ["look-c"]
                return await lookup.settings_then(connection, "look-c", "look-a", at)
        finally:
            await bank.close()

    booked = round(BOOKED.timestamp() * 1000)
    [event] = [event for event in databases.find("look-e") if event.booking]
    assert event.booking is not None
    verdicts = [judge(setting, event.booking) for setting in asyncio.run(then(booked))]
    assert [(verdict.sentence, verdict.raised) for verdict in verdicts] == [
        ("The balance falls below €100.00, by SMS", True),
        ("More than €250.00 goes out at once, by e-mail", True),
    ]
    now = asyncio.run(then(round(datetime.now(UTC).timestamp() * 1000) + 400 * 86_400_000))
    assert [setting["threshold_minor"] for setting in now] == [99_999_999]
    assert asyncio.run(then(0)) == []


def test_who_looked_is_recorded_and_forgotten_with_the_customer(databases: Databases) -> None:
    async def look() -> None:
        bank = Store(databases.bank, 1)
        await bank.open()
        try:
            await actions.record(bank, OPERATOR, Action.LOOK_UP, "look-c", "T-1")
            with pytest.raises(psycopg.Error):
                await actions.record(bank, OPERATOR, Action.LOOK_UP, "look-c", "T" * 1001)
        finally:
            await bank.close()

    asyncio.run(look())
    rows = "SELECT done_by, action, subject, reason FROM operator_actions"
    with database.connect(databases.bank) as connection:
        assert connection.execute(rows).fetchall() == [("operator-1", "LOOK_UP", "look-c", "T-1")]
        connection.execute("CALL forget_customer('look-c')")
        assert connection.execute(rows).fetchall() == [("operator-1", "LOOK_UP", None, "T-1")]
        connection.execute("CALL forget_history('0 s')")
        assert connection.execute(rows).fetchall() == []


def test_a_database_that_is_away_is_an_error(databases: Databases) -> None:
    async def look() -> None:
        away = Store(databases.bank.model_copy(update={"port": 1}), 1)
        await away.open()
        try:
            await actions.record(away, OPERATOR, Action.LOOK_UP, "look-c", "T-1")
        finally:
            await away.close()

    with pytest.raises(DatabaseError):
        asyncio.run(look())
