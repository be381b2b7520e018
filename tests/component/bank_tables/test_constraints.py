"""What the contract does not know is refused by each of the bank's tables."""

import psycopg
import pytest

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
