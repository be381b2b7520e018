"""The bank's tables: what they take, and whole records of everybody, whoever changes what when."""

import copy
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv.bank import customers
from devenv.bank import database as bank_tool
from operations import booking_files
from operations.migrations import FOLDER, migrate
from tests.component.bank_model import PREFERENCE, Bank

pytestmark = pytest.mark.environment

Connection = psycopg.Connection[Any]
NUMBERS = st.integers(0, 2).map(str)
LONGS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture
def bank(empty: Database) -> Database:
    """A bank's database of the test's own."""
    migrate(empty, FOLDER / "bank")
    return empty


@pytest.fixture
def connection(bank: Database) -> Iterator[Connection]:
    with database.connect(bank, autocommit=True) as connection:
        yield connection


def published(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
    by_customer = "SELECT customer_id, record FROM published.alert_settings WHERE left_at IS NULL"
    by_account = "SELECT account_id, record FROM published.account_authorizations WHERE left_at IS NULL"
    return (
        dict(connection.execute(by_customer).fetchall()),
        dict(connection.execute(by_account).fetchall()),
    )


def one_customer(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO customers (customer_id) VALUES ('c'); INSERT INTO accounts VALUES ('a');"
        "INSERT INTO access_rights VALUES ('a', 'c');"
    )


ADD_ADDRESS = "INSERT INTO addresses VALUES ('c', 'EMAIL', 'c@example.com')"
ADD_PREFERENCE = (
    "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels,"
    " threshold_minor) VALUES ('c', 's', 'a', 'EUR', 'BALANCE_BELOW', '{EMAIL}', 100)"
)

Step = tuple[Callable[[Bank], None], str, dict[str, Any]]
"""What it does to the model, and the same in SQL."""


def put_customer(number: str, language: str, quiet: bool, digest: str | None) -> Step:
    fields = {"language": language, "digest": digest}
    fields |= {"quiet_from": "22:00", "quiet_to": "07:00"} if quiet else {}
    values = {"id": number, "quiet_from": None, "quiet_to": None, **fields}
    text = (
        "INSERT INTO customers VALUES (%(id)s, %(language)s, 'UTC', %(quiet_from)s, %(quiet_to)s, %(digest)s)"
        " ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language, digest = excluded.digest,"
        " quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to"
    )
    return lambda model: model.put_customer(number, **fields), text, values


def drop_customer(number: str) -> Step:
    text = "DELETE FROM customers WHERE customer_id = %(id)s"
    return lambda model: model.drop_customer(number), text, {"id": number}


def put_account(number: str) -> Step:
    text = "INSERT INTO accounts VALUES (%(id)s) ON CONFLICT DO NOTHING"
    return lambda model: model.accounts.add(number), text, {"id": number}


def drop_account(number: str) -> Step:
    text = "DELETE FROM accounts WHERE account_id = %(id)s"
    return lambda model: model.drop_account(number), text, {"id": number}


def put_right(account: str, customer: str) -> Step:
    def change(model: Bank) -> None:
        if account in model.accounts and customer in model.customers:
            model.rights.add((account, customer))

    text = (
        "INSERT INTO access_rights SELECT account_id, customer_id FROM accounts, customers"
        " WHERE account_id = %(account)s AND customer_id = %(customer)s ON CONFLICT DO NOTHING"
    )
    return change, text, {"account": account, "customer": customer}


def drop_rights(customer: str) -> Step:
    def change(model: Bank) -> None:
        model.rights = {right for right in model.rights if right[1] != customer}

    return change, "DELETE FROM access_rights WHERE customer_id = %(id)s", {"id": customer}


def put_address(customer: str, number: str) -> Step:
    def change(model: Bank) -> None:
        if customer in model.customers:
            model.addresses.add((customer, "SMS", f"+{number}"))

    text = (
        "INSERT INTO addresses SELECT customer_id, 'SMS', %(to)s FROM customers WHERE customer_id = %(id)s"
        " ON CONFLICT DO NOTHING"
    )
    return change, text, {"id": customer, "to": f"+{number}"}


def move_addresses(customer: str) -> Step:
    def change(model: Bank) -> None:
        model.addresses = {
            (who, channel, to + "0") if who == customer else (who, channel, to)
            for who, channel, to in model.addresses
        }

    return (
        change,
        "UPDATE addresses SET address = address || '0' WHERE customer_id = %(id)s",
        {"id": customer},
    )


def put_preference(customer: str, name: str, account: str, threshold: int, until: int | None) -> Step:
    def change(model: Bank) -> None:
        if account in model.accounts and customer in model.customers:
            model.preferences[customer, name] = {
                **PREFERENCE,
                "account_id": account,
                "threshold_minor": threshold,
                "snoozed_until": until,
            }

    text = (
        "INSERT INTO preferences"
        " SELECT customer_id, %(name)s, account_id, 'EUR', 'BALANCE_BELOW', '{EMAIL}', %(threshold)s,"
        " NULL, NULL, timestamptz 'epoch' + %(until)s * interval '1 ms' FROM customers, accounts"
        " WHERE customer_id = %(customer)s AND account_id = %(account)s"
        " ON CONFLICT (customer_id, setting_id) DO UPDATE SET account_id = excluded.account_id,"
        " threshold_minor = excluded.threshold_minor, snoozed_until = excluded.snoozed_until"
    )
    values = {"customer": customer, "name": name, "account": account, "threshold": threshold, "until": until}
    return change, text, values


STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(
        put_customer,
        NUMBERS,
        st.sampled_from(["en", "nl", "de-AT"]),
        st.booleans(),
        st.sampled_from([None, "HOURLY", "DAILY"]),
    ),
    st.builds(drop_customer, NUMBERS),
    st.builds(put_account, NUMBERS),
    st.builds(drop_account, NUMBERS),
    st.builds(put_right, NUMBERS, NUMBERS),
    st.builds(drop_rights, NUMBERS),
    st.builds(put_address, NUMBERS, NUMBERS),
    st.builds(move_addresses, NUMBERS),
    st.builds(
        put_preference, NUMBERS, NUMBERS, NUMBERS, LONGS, st.none() | st.integers(0, 4_000_000_000_000)
    ),
)
FIRST = [step for n in "012" for step in (put_customer(n, "en", False, None), put_account(n))]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.lists(STEPS, min_size=1, max_size=6), st.booleans()), max_size=6))
def test_published_is_what_the_model_says(
    connection: Connection, transactions: list[tuple[list[Step], bool]]
) -> None:
    connection.execute("DELETE FROM customers; DELETE FROM accounts;")
    model = Bank()
    for steps, committed in [(FIRST, True), *transactions]:
        after = copy.deepcopy(model)
        with connection.transaction(force_rollback=not committed):
            for change, text, values in steps:
                change(after)
                connection.execute(text.encode(), values)
            # Nothing of it shows before the commit.
            assert published(connection) == (model.settings(), model.authorizations())
        if committed:
            model = after
        assert published(connection) == (model.settings(), model.authorizations())
    assert connection.execute("SELECT * FROM published.marked").fetchall() == []


@pytest.mark.parametrize("first_commits_while_second_waits", [False, True])
def test_two_transactions_at_once_leave_no_half(
    bank: Database, connection: Connection, first_commits_while_second_waits: bool
) -> None:
    one_customer(connection)
    with database.connect(bank) as first, database.connect(bank) as second:
        first.execute(ADD_ADDRESS)
        second.execute(ADD_PREFERENCE)
        if first_commits_while_second_waits:
            # The first has written its record, without what the second has not committed yet.
            first.execute("SET CONSTRAINTS ALL IMMEDIATE")
            pid = second.info.backend_pid
            committing = threading.Thread(target=second.commit)
            committing.start()
            _wait_until_blocked(connection, pid)
            first.commit()
            committing.join(30)
            assert not committing.is_alive()
        else:
            first.commit()
            second.commit()
    [record] = published(connection)[0].values()
    assert len(record["addresses"]) == 1
    assert len(record["settings"]) == 1


def _wait_until_blocked(connection: Connection, pid: int) -> None:
    end = time.monotonic() + 30
    while connection.execute("SELECT pg_blocking_pids(%s)", (pid,)).fetchone() == ([],):
        assert time.monotonic() < end, "the second transaction does not wait for the first"


def test_many_transactions_at_once(bank: Database, connection: Connection) -> None:
    one_customer(connection)

    def add(worker: int) -> None:
        with database.connect(bank, autocommit=True) as own:
            for number in range(15):
                with own.transaction():
                    own.execute("INSERT INTO customers (customer_id) VALUES (%s)", (f"{worker}-{number}",))
                    own.execute(
                        "INSERT INTO addresses VALUES ('c', 'EMAIL', %s)", (f"{worker}.{number}@example.com",)
                    )
                    own.execute("INSERT INTO access_rights VALUES ('a', %s)", (f"{worker}-{number}",))

    workers = [threading.Thread(target=add, args=(worker,)) for worker in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    by_customer, by_account = published(connection)
    assert len(by_customer["c"]["addresses"]) == 60
    assert len(by_account["a"]["customer_ids"]) == 61
    assert len(by_customer) == 61


def test_a_transaction_that_would_not_see_the_others_is_refused(bank: Database) -> None:
    with database.connect(bank) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("INSERT INTO customers (customer_id) VALUES ('c')")
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="READ COMMITTED"):
            connection.commit()


def test_what_did_not_change_is_not_written_again(connection: Connection) -> None:
    one_customer(connection)
    version = "SELECT xmin FROM published.alert_settings"
    before = connection.execute(version).fetchone()
    connection.execute("UPDATE customers SET language = language")
    assert connection.execute(version).fetchone() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO customers (customer_id) VALUES ('')",
        "UPDATE customers SET time_zone = 'Europe/Nowhere'",
        "UPDATE customers SET language = 'English please'",
        "UPDATE customers SET quiet_from = '24:00', quiet_to = '07:00'",
        "UPDATE customers SET quiet_from = '22:00'",
        "UPDATE customers SET digest = 'WEEKLY'",
        "INSERT INTO access_rights VALUES ('no account', 'c')",
        "INSERT INTO access_rights VALUES ('a', 'nobody')",
        "INSERT INTO addresses VALUES ('c', 'FAX', '123')",
        "INSERT INTO addresses VALUES ('c', 'PUSH', 'somebody else')",
        "UPDATE preferences SET channels = '{EMAIL,FAX}'",
        "UPDATE preferences SET channels = '{EMAIL,NULL}'",
        "UPDATE preferences SET currency = 'EUX'",
        "UPDATE preferences SET alert_type = 'SALDO'",
        "UPDATE preferences SET threshold_minor = NULL",
        "UPDATE preferences SET alert_type = 'TRANSACTION_COUNT', count = 3",
        "UPDATE preferences SET alert_type = 'TRANSACTION_COUNT', window_minutes = 3",
        "UPDATE preferences SET snoozed_until = 'infinity'",
        "TRUNCATE customers CASCADE",
        "UPDATE bookings SET amount_minor = 1",
        "INSERT INTO bookings VALUES ('e', 'a', 'EUR', 0, 'CRDT', 0, now(), 'CARD')",
        "INSERT INTO bookings VALUES ('e', 'a', 'EUR', 1, 'CREDIT', 0, now(), 'CARD')",
    ],
)
def test_what_the_contract_does_not_know_is_refused(connection: Connection, statement: str) -> None:
    one_customer(connection)
    connection.execute(ADD_PREFERENCE)
    before = published(connection)
    with pytest.raises(psycopg.Error):
        connection.execute(statement.encode())
    assert published(connection) == before


def test_the_history_says_who_changed_what(connection: Connection) -> None:
    with connection.transaction():
        connection.execute("SET LOCAL alerts.changed_by = 'clerk 12'")
        one_customer(connection)
    connection.execute("UPDATE customers SET language = 'nl'")
    connection.execute("DELETE FROM customers")
    rows = connection.execute(
        "SELECT action, old_row ->> 'language', new_row ->> 'language', application_user, database_user,"
        " changed_at <= now() FROM history WHERE table_name = 'customers' ORDER BY id"
    ).fetchall()
    assert rows == [
        ("INSERT", None, "en", "clerk 12", "alerts", True),
        ("UPDATE", "en", "nl", None, "alerts", True),
        ("DELETE", "nl", None, None, "alerts", True),
    ]
    transactions = connection.execute("SELECT count(DISTINCT transaction_id) FROM history").fetchone()
    assert transactions == (3,)


def test_a_customer_can_be_forgotten(connection: Connection) -> None:
    one_customer(connection)
    connection.execute(ADD_ADDRESS)
    connection.execute("CALL forget_customer('c')")
    assert published(connection) == ({}, {})
    left = connection.execute(
        "SELECT count(*) FROM history WHERE old_row::text LIKE '%\"c\"%' OR new_row::text LIKE '%\"c\"%'"
    ).fetchone()
    assert left == (0,)


def test_who_left_is_known_until_he_is_forgotten(connection: Connection) -> None:
    of_customers = "SELECT customer_id, record, left_at <= now() FROM published.alert_settings"
    of_accounts = "SELECT account_id, record, left_at <= now() FROM published.account_authorizations"
    one_customer(connection)
    connection.execute("DELETE FROM customers")
    assert connection.execute(of_customers).fetchall() == [("c", None, True)]
    assert connection.execute(of_accounts).fetchall() == [("a", None, True)]
    connection.execute("CALL forget_departed('1 hour')")
    assert connection.execute(of_customers).fetchall() == [("c", None, True)]
    connection.execute("CALL forget_departed('0')")
    assert connection.execute(of_customers).fetchall() == connection.execute(of_accounts).fetchall() == []


def test_who_comes_back_is_there_again(connection: Connection) -> None:
    one_customer(connection)
    before = published(connection)
    connection.execute("DELETE FROM customers; DELETE FROM accounts")
    one_customer(connection)
    assert published(connection) == before
    connection.execute("CALL forget_departed('0')")
    assert published(connection) == before


def test_the_sample_is_loaded_as_it_is_and_twice_changes_nothing(
    postgres: Config, bank: Database, connection: Connection
) -> None:
    config = postgres.override({"bank": {"name": bank.name}})
    may_see = customers.authorizations()
    wanted = customers.settings(booking_files.read(), may_see)
    assert bank_tool.load(config, [*may_see, *wanted]) == (len(wanted), len(may_see))
    by_customer, by_account = published(connection)
    assert by_account == {
        each["account_id"]: {**each, "customer_ids": sorted(each["customer_ids"])} for each in may_see
    }
    assert {who: _ordered(record) for who, record in by_customer.items()} == {
        record["customer_id"]: _ordered(record) for record in wanted
    }
    noted = connection.execute("SELECT count(*) FROM history").fetchone()
    bank_tool.load(config, [*may_see, *wanted])
    assert connection.execute("SELECT count(*) FROM history").fetchone() == noted


def _ordered(record: dict[str, Any]) -> dict[str, Any]:
    return {
        **record,
        "addresses": sorted(record["addresses"], key=lambda each: (each["channel"], each["address"])),
        "settings": sorted(record["settings"], key=lambda setting: str(setting["setting_id"])),
    }
