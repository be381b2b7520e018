"""What the contract does not know is refused by each of the bank's tables."""

import psycopg
import pytest

from account_alerts.model.limits import (
    ADDRESSES_PER_CUSTOMER,
    CHANNELS_PER_SETTING,
    CUSTOMERS_PER_ACCOUNT,
    RECORD_BYTES,
    SETTINGS_PER_CUSTOMER,
    TEXT_BYTES,
)
from tests.component.bank_tables.tables import ADD_PREFERENCE, Connection, one_customer, published

pytestmark = pytest.mark.environment


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


LONG = "x" * TEXT_BYTES
MANY = "generate_series(1, {}) AS number"
LIMITS = {
    "customers": (
        CUSTOMERS_PER_ACCOUNT - 1,
        "WITH added AS (INSERT INTO customers SELECT number::text FROM {} RETURNING customer_id) "
        "INSERT INTO access_rights SELECT 'a', customer_id FROM added",
    ),
    "settings": (
        SETTINGS_PER_CUSTOMER,
        "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels, "
        "threshold_minor) SELECT 'c', number::text, 'a', 'EUR', 'BALANCE_BELOW', '{{EMAIL}}', 0 FROM {}",
    ),
    "addresses": (
        ADDRESSES_PER_CUSTOMER,
        "INSERT INTO addresses SELECT 'c', 'SMS', number::text FROM {}",
    ),
}


@pytest.mark.parametrize("what", LIMITS)
def test_a_record_holds_no_more_than_the_jobs_take(connection: Connection, what: str) -> None:
    one_customer(connection)
    most, statement = LIMITS[what]
    with connection.transaction(force_rollback=True):
        connection.execute(statement.format(MANY.format(most)).encode())
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    before = published(connection)
    with pytest.raises(psycopg.errors.CheckViolation, match=f"at_most_[0-9]+_{what}"):
        connection.execute(statement.format(MANY.format(most + 1)).encode())
    assert published(connection) == before


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("INSERT INTO customers (customer_id) VALUES ({})", "customer_id_has"),
        ("INSERT INTO accounts VALUES ({})", "account_id_has"),
        ("INSERT INTO addresses VALUES ('c', 'EMAIL', {})", "address_has"),
        ("UPDATE preferences SET setting_id = {}", "setting_id_has"),
    ],
)
def test_a_text_is_no_longer_than_the_jobs_take(
    connection: Connection, statement: str, constraint: str
) -> None:
    one_customer(connection)
    connection.execute(ADD_PREFERENCE)
    with connection.transaction(force_rollback=True):
        connection.execute(statement.format(f"'{LONG}'").encode())
    with pytest.raises(psycopg.errors.CheckViolation, match=constraint):
        connection.execute(statement.format(f"'{LONG}x'").encode())


def test_a_setting_has_no_more_channels_than_the_jobs_take(connection: Connection) -> None:
    one_customer(connection)
    connection.execute(ADD_PREFERENCE)
    update = "UPDATE preferences SET channels = array_fill('SMS'::text, ARRAY[{}])"
    connection.execute(update.format(CHANNELS_PER_SETTING).encode())
    with pytest.raises(psycopg.errors.CheckViolation, match="at_most_10_channels"):
        connection.execute(update.format(CHANNELS_PER_SETTING + 1).encode())


def test_a_booking_fits_a_record(connection: Connection) -> None:
    one_customer(connection)
    insert = (
        "INSERT INTO bookings (entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, "
        "entry_type, description) VALUES ('e', 'a', 'EUR', 1, 'CRDT', 0, 'CARD', repeat('x', {}))"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="texts_have_at_most"):
        connection.execute(insert.format(RECORD_BYTES).encode())
    connection.execute(insert.format(1_000_000).encode())
