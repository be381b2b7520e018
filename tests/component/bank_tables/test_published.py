"""Whole records of all customers and accounts, whoever changes what when."""

import copy
import threading
import time

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from account_alerts import postgres as database
from account_alerts.config.postgres import Database
from tests.component.bank_model import Bank
from tests.component.bank_tables.steps import FIRST, STEPS, Step
from tests.component.bank_tables.tables import (
    ADD_ADDRESS,
    ADD_PREFERENCE,
    Connection,
    one_customer,
    published,
)

pytestmark = pytest.mark.environment


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


def test_a_refused_consent_takes_the_channel_from_reminders_only(connection: Connection) -> None:
    one_customer(connection)
    for name, kind in (("r", "APPLICATION_REMINDER"), ("b", "BALANCE_BELOW")):
        connection.execute(
            "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels,"
            " threshold_minor) VALUES ('c', %s, 'a', 'EUR', %s, '{SMS,EMAIL}', 100)",
            (name, kind),
        )

    def channels() -> dict[str, list[str]]:
        [record] = published(connection)[0].values()
        return {each["setting_id"]: each["channels"] for each in record["settings"]}

    connection.execute(
        "INSERT INTO consents VALUES ('c', 'APPLICATION_REMINDERS', 'SMS', false, now(), 'APP', '1')"
    )
    assert channels() == {"r": ["EMAIL"], "b": ["SMS", "EMAIL"]}
    connection.execute("UPDATE consents SET given = true")
    assert channels() == {"r": ["SMS", "EMAIL"], "b": ["SMS", "EMAIL"]}


def test_what_did_not_change_is_not_written_again(connection: Connection) -> None:
    one_customer(connection)
    version = "SELECT xmin FROM published.alert_settings"
    before = connection.execute(version).fetchone()
    connection.execute("UPDATE customers SET language = language")
    assert connection.execute(version).fetchone() == before
