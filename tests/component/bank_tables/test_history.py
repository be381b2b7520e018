"""The history of changes, and what remains of customers who left."""

import pytest

from tests.component.bank_tables.tables import ADD_ADDRESS, Connection, one_customer, published

pytestmark = pytest.mark.environment


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
    connection.execute(
        "INSERT INTO account_names VALUES ('c', 'a', 'Household');"
        "INSERT INTO consents VALUES ('c', 'APPLICATION_REMINDERS', 'SMS', true, now(), 'APP', '1');"
    )
    connection.execute("CALL forget_customer('c')")
    assert published(connection) == ({}, {})
    left = connection.execute(
        "SELECT count(*) FROM history WHERE old_row::text LIKE '%\"c\"%' OR new_row::text LIKE '%\"c\"%'"
    ).fetchone()
    assert left == (0,)


def test_a_customer_who_left_is_known_until_forgotten(connection: Connection) -> None:
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


def test_a_name_of_an_account_goes_with_the_right_to_see_it(connection: Connection) -> None:
    one_customer(connection)
    connection.execute("INSERT INTO account_names VALUES ('c', 'a', 'Household')")
    connection.execute("DELETE FROM access_rights")
    assert connection.execute("SELECT * FROM account_names").fetchall() == []
    actions = "SELECT action FROM history WHERE table_name = 'account_names' ORDER BY id"
    assert connection.execute(actions).fetchall() == [("INSERT",), ("DELETE",)]
