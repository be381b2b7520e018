"""From the bank's tables by Kafka Connect and the publisher to the topics of the contract, all real."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, LiteralString

import httpx2
import psycopg
import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end
from account_alerts.postgres import DatabaseError
from account_alerts.records.bookings import DEFAULTS
from account_alerts.records.codec import Record, RecordName, codec
from delivery.ledger.session import Session
from delivery.opt_out.bank import record_in
from delivery.opt_out.keywords import Keyword
from delivery.opt_out.port import Change
from delivery.opt_out.store import PostgresOptOuts
from devenv.services.catalog import CONNECT, POSTGRES, PUBLISHER
from ingest.capture import heartbeats
from ingest.capture.connect_client import ConnectClient
from ingest.capture.heartbeats import Heartbeats
from operations.waiting import wait_for
from tests.component.bank_model import PREFERENCE
from tests.component.programs import Programs

pytestmark = pytest.mark.environment

_SECONDS = 300
_CUSTOMERS = 20
_CHANGES = 400
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def config(kafka: Config, postgres: Config, programs: Programs) -> Iterator[Config]:
    """Connect and the publisher run; the configuration that says where."""
    programs.start(CONNECT)
    programs.start(PUBLISHER)
    yield programs.config
    programs.stop("publisher")
    programs.stop("connect")


@pytest.fixture
def customer() -> str:
    """Name a customer, and an account of the same name, whom no other test has."""
    return f"captured-{next(_numbers)}"


@pytest.fixture
def bank(config: Config) -> Iterator[psycopg.Connection[Any]]:
    """Connect to the bank's database."""
    with database.connect(config.require("bank"), autocommit=True) as connection:
        yield connection


def add(connection: psycopg.Connection[Any], customer: str) -> None:
    """Add a customer with an account, an address and a preference."""
    with connection.transaction():
        connection.execute("INSERT INTO customers (customer_id) VALUES (%s)", (customer,))
        connection.execute("INSERT INTO accounts VALUES (%s)", (customer,))
        connection.execute("INSERT INTO access_rights VALUES (%s, %s)", (customer, customer))
        connection.execute("INSERT INTO addresses VALUES (%s, 'EMAIL', 'a@example.com')", (customer,))
        connection.execute(
            "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels,"
            " threshold_minor) VALUES (%s, 's', %s, 'EUR', 'BALANCE_BELOW', '{EMAIL}', 0)",
            (customer, customer),
        )


def published_settings(customer: str, threshold: int = 0, address: str = "a@example.com") -> Record:
    """Tell what is published of such a customer."""
    return {
        **{"customer_id": customer, "language": "en", "time_zone": "UTC"},
        "addresses": [{"channel": "EMAIL", "address": address}],
        "settings": [{"setting_id": "s", "account_id": customer, **PREFERENCE, "threshold_minor": threshold}],
        **dict.fromkeys(("quiet_from", "quiet_to", "digest")),
    }


def versions(config: Config, name: RecordName, key: str) -> list[Record | None]:
    """All that was published under a key, in its order; None is a tombstone."""
    topic = {
        "AlertSettings": config.topics.alert_settings.name,
        "AccountAuthorization": config.topics.account_authorizations.name,
        "AccountEntry": config.topics.account_entries.name,
        "SmsOptOut": config.topics.sms_opt_outs.name,
    }[name]
    decoder = codec(config)
    return [
        None if message.value() is None else decoder.decode(name, message.value() or b"")
        for message in read_to_end(config, topic)
        if message.key() == key.encode()
    ]


def arrived(config: Config, name: RecordName, key: str, wanted: Record | None) -> list[Record | None]:
    """Wait until the newest record of a key is this one; all of its versions."""

    def there() -> list[Record | None]:
        found = versions(config, name, key)
        return found if found and found[-1] == wanted else []

    return wait_for(f"{name} of {key}", there, _SECONDS, "See connect.log and publisher.out.")


def test_whole_records_of_what_is_committed(
    config: Config, bank: psycopg.Connection[Any], customer: str
) -> None:
    with bank.transaction(force_rollback=True):
        add(bank, customer)
        bank.execute("UPDATE customers SET language = 'nl' WHERE customer_id = %s", (customer,))
    add(bank, customer)
    # No half of the transaction, and nothing of the one before.
    assert arrived(config, "AlertSettings", customer, published_settings(customer)) == [
        published_settings(customer)
    ]
    access = {"account_id": customer, "customer_ids": [customer]}
    assert arrived(config, "AccountAuthorization", customer, access) == [access]


def test_an_opt_out_comes_back_with_the_time_it_was_received(
    config: Config, bank: psycopg.Connection[Any]
) -> None:
    number = "31600000077"

    async def stop() -> Change:
        store, session = (
            PostgresOptOuts(config.require("delivery"), 1),
            Session(config.require("bank"), "test"),
        )
        await store.record(number, Keyword.STOP, None, "en")
        [change] = [each for each in await store.unrecorded(100) if each.number == number]
        await record_in(session)(change)
        await store.close()
        await session.close()
        return change

    at = round(asyncio.run(stop()).changed_at.timestamp() * 1000)
    stopped = {"number": number, "stopped": True, "changed_at": at}
    # Not a millisecond earlier: the ledger would take it for older than its own.
    assert arrived(config, "SmsOptOut", number, stopped) == [stopped]
    bank.execute("UPDATE sms_opt_outs SET stopped = false, source = 'BRANCH' WHERE number = %s", (number,))
    [(later,)] = bank.execute("SELECT changed_at FROM sms_opt_outs WHERE number = %s", (number,)).fetchall()
    back = {"number": number, "stopped": False, "changed_at": round(later.timestamp() * 1000)}
    assert arrived(config, "SmsOptOut", number, back) == [stopped, back]
    assert back["changed_at"] > at
    bank.execute("DELETE FROM sms_opt_outs WHERE number = %s", (number,))
    assert arrived(config, "SmsOptOut", number, None) == [stopped, back, None]


def test_a_transaction_over_three_tables_is_one_record(
    config: Config, bank: psycopg.Connection[Any], customer: str
) -> None:
    add(bank, customer)
    arrived(config, "AlertSettings", customer, published_settings(customer))
    with bank.transaction():
        bank.execute("UPDATE addresses SET address = 'b@example.com' WHERE customer_id = %s", (customer,))
        bank.execute("UPDATE preferences SET threshold_minor = 7 WHERE customer_id = %s", (customer,))
        bank.execute("INSERT INTO customers (customer_id) VALUES (%s)", (f"{customer}-b",))
        bank.execute("INSERT INTO access_rights VALUES (%s, %s)", (customer, f"{customer}-b"))
    after = published_settings(customer, 7, "b@example.com")
    assert arrived(config, "AlertSettings", customer, after) == [published_settings(customer), after]
    access = {"account_id": customer, "customer_ids": [customer, f"{customer}-b"]}
    assert len(arrived(config, "AccountAuthorization", customer, access)) == 2


def test_who_leaves_becomes_a_tombstone(config: Config, bank: psycopg.Connection[Any], customer: str) -> None:
    add(bank, customer)
    bank.execute("DELETE FROM customers WHERE customer_id = %s", (customer,))
    assert arrived(config, "AlertSettings", customer, None) == [published_settings(customer), None]
    assert arrived(config, "AccountAuthorization", customer, None)[-1] is None


def test_a_booking_of_the_core_system(config: Config, bank: psycopg.Connection[Any], customer: str) -> None:
    bank.execute("INSERT INTO accounts VALUES (%s)", (customer,))
    booked_at = datetime(2026, 11, 25, 9, 30, 0, 123_000, UTC)
    bank.execute(
        "INSERT INTO bookings (entry_id, account_id, currency, amount_minor, credit_debit, booked_at,"
        " entry_type, description, original_currency, original_amount_minor, reversal)"
        " VALUES (%s, %s, 'JPY', 150, 'CRDT', %s, 'CASH', 'x', 'EUR', 93, true)",
        (f"{customer}-e", customer, booked_at),
    )
    wanted = {
        **DEFAULTS,
        **{"entry_id": f"{customer}-e", "account_id": customer, "currency": "JPY", "amount_minor": 150},
        **{"credit_debit": "CRDT", "entry_type": "CASH", "description": "x"},
        "booked_at": round(booked_at.timestamp() * 1000),
        **{"original_currency": "EUR", "original_amount_minor": 93, "reversal": True},
    }
    assert arrived(config, "AccountEntry", customer, wanted) == [wanted]


def test_a_connector_that_is_gone_is_registered_again(
    config: Config, bank: psycopg.Connection[Any], customer: str
) -> None:
    # The topic of Kafka Connect's configuration was lost, or somebody has deleted it.
    own = config.require("capture")
    connectors = f"{own.connect_url}/connectors"
    httpx2.delete(f"{connectors}/{own.name}").raise_for_status()
    said = "Connect to have its connector again"
    wait_for(said, lambda: own.name in httpx2.get(connectors).json(), _SECONDS, "See publisher.out.")
    add(bank, customer)
    arrived(config, "AlertSettings", customer, published_settings(customer))
    # A record is there before Connect has read its own status topic.
    said = "Connect to say that its connector runs"
    wait_for(said, lambda: ConnectClient(config).status().is_running, _SECONDS, "See connect.log.")


def test_who_left_while_the_slot_was_lost(
    config: Config, bank: psycopg.Connection[Any], customer: str, programs: Programs
) -> None:
    add(bank, customer)
    arrived(config, "AlertSettings", customer, published_settings(customer))
    arrived(config, "AccountAuthorization", customer, {"account_id": customer, "customer_ids": [customer]})
    programs.stop("connect")

    def inactive() -> bool:
        return bank.execute("SELECT NOT active FROM pg_replication_slots").fetchall() == [(True,)]

    wait_for("the slot to be free", inactive, _SECONDS, "See connect.log.")
    bank.execute("SELECT pg_drop_replication_slot(%s)", (config.require("capture").name,))
    bank.execute("DELETE FROM customers WHERE customer_id = %s", (customer,))
    programs.start(CONNECT)
    assert arrived(config, "AlertSettings", customer, None) == [published_settings(customer), None]
    assert arrived(config, "AccountAuthorization", customer, None)[-1] is None


def read_one(bank: psycopg.Connection[Any], query: LiteralString) -> str:
    """Return the one value of a query, as text."""
    row = bank.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def test_what_changed_while_the_publication_was_away(
    config: Config, bank: psycopg.Connection[Any], customer: str
) -> None:
    own = config.require("capture")
    beats = Heartbeats(heartbeats.connect(config))
    written = "SELECT beats FROM published.heartbeat"

    def come_out() -> bool:
        beats.read()
        return beats.number is not None

    wait_for("a heartbeat", come_out, _SECONDS, "See connect.log.")
    before = int(read_one(bank, written))
    tables = read_one(
        bank, "SELECT string_agg(schemaname || '.' || tablename, ', ') FROM pg_publication_tables"
    )
    bank.execute("DROP PUBLICATION alerts")
    add(bank, customer)

    def skipped() -> bool:
        return int(read_one(bank, written)) >= before + 2

    wait_for("heartbeats that do not come out", skipped, _SECONDS, "See connect.log.")
    bank.execute(
        f"CREATE PUBLICATION alerts FOR TABLE {tables} WITH (publish = 'insert, update, delete')".encode()
    )

    def noticed() -> bool:
        beats.read()
        return beats.lost > 0

    wait_for("heartbeats to be missed", noticed, _SECONDS, "See connect.log.")
    assert versions(config, "AlertSettings", customer) == []
    # As the runbook has it.
    connector = f"{own.connect_url}/connectors/{own.name}"
    httpx2.put(f"{connector}/stop").raise_for_status()

    def inactive() -> bool:
        return bank.execute("SELECT NOT active FROM pg_replication_slots").fetchall() == [(True,)]

    wait_for("the slot to be free", inactive, _SECONDS, "See connect.log.")
    bank.execute("SELECT pg_drop_replication_slot(%s)", (own.name,))
    httpx2.put(f"{connector}/resume").raise_for_status()
    arrived(config, "AlertSettings", customer, published_settings(customer))

    def mended() -> bool:
        beats.read()
        return beats.lost == 0

    wait_for("the snapshot's heartbeat", mended, _SECONDS, "See connect.log.")


def test_all_of_them_are_killed_while_customers_change(
    config: Config, bank: psycopg.Connection[Any], customer: str, programs: Programs
) -> None:
    people = [f"{customer}-{number}" for number in range(_CUSTOMERS)]
    for each in people:
        add(bank, each)
    arrived(config, "AlertSettings", people[-1], published_settings(people[-1]))
    done = [0]

    def change() -> None:
        for number in range(1, _CHANGES + 1):
            committed = False
            while not committed:
                # The same once more, where nobody knows whether it was committed.
                try:
                    with database.connect(config.require("bank")) as own:
                        own.execute(
                            "UPDATE preferences SET threshold_minor = %s WHERE customer_id = %s",
                            (number, people[number % _CUSTOMERS]),
                        )
                    committed = True
                except (DatabaseError, psycopg.Error):
                    time.sleep(0.1)
            done[0] = number

    changing = threading.Thread(target=change, daemon=True)
    changing.start()
    for number, part in enumerate((PUBLISHER, CONNECT, POSTGRES), 1):
        at = number * _CHANGES // 5

        def reached(at: int = at) -> bool:
            return done[0] >= at

        wait_for("changes", reached, _SECONDS, "See postgres.out.")
        programs.kill(part.program)
        programs.wait(part)
    changing.join(_SECONDS)
    assert done == [_CHANGES]
    for number in range(_CHANGES - _CUSTOMERS + 1, _CHANGES + 1):
        who = people[number % _CUSTOMERS]
        found = arrived(config, "AlertSettings", who, published_settings(who, number))
        thresholds = [each["settings"][0]["threshold_minor"] for each in found if each]
        assert thresholds == sorted(thresholds), "an older record came after a newer one"
        assert len(thresholds) == len(found)
