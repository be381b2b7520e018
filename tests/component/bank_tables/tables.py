"""The bank's tables as tests fill and read them."""

from typing import Any

import psycopg

Connection = psycopg.Connection[Any]


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
