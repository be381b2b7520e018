"""A bank whose customers use the pages in a browser: their data, and what came to them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.records.codec import codec
from delivery.profiles.records import profile_row

ACCOUNT, OTHER = "NL91ABNA0417164300", "NL20INGB0001234567"

_PARAMS = {
    "amount_minor": "31240",
    "balance_minor": "8416",
    "threshold_minor": "25000",
    "credit_debit": "DBIT",
    "entry_type": "CARD",
    "merchant_name": "Cycle Shop Noord",
    "country": "NL",
    "card_last_four": "1234",
    "description": "Two <b>tyres</b>, call +31 20 1234567",
}


def _reason(setting_id: str, alert_type: str, threshold: int) -> dict[str, Any]:
    return {
        "setting_id": setting_id,
        "alert_type": alert_type,
        "threshold_minor": threshold,
        "count": None,
        "window_minutes": None,
    }


@dataclass
class Bank:
    """Customers of the local environment's databases."""

    config: Config
    url: str

    def change(self, section: Any, sql: str, *values: Any) -> None:
        """Run a statement on a database: `bank` or `delivery`."""
        with database.connect(self.config.require(section)) as connection:
            connection.execute(sql, values)

    def ask(self, section: Any, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with database.connect(self.config.require(section), row_factory=dict_row) as connection:
            rows: Any = connection.execute(sql, values).fetchall()
            return list(rows)

    def add_customer(self, customer: str, language: str = "en") -> None:
        """Add a customer with two accounts, three alerts, an address of each kind, and one that waits."""
        self.change(
            "bank",
            "INSERT INTO customers (customer_id, language, time_zone) VALUES (%s, %s, 'Europe/Amsterdam')",
            customer,
            language,
        )
        for account in (self.account(customer), self.account(customer, OTHER)):
            self.change("bank", "INSERT INTO accounts VALUES (%s)", account)
            self.change("bank", "INSERT INTO access_rights VALUES (%s, %s)", account, customer)
        for channel, address in (("EMAIL", f"{customer}@example.com"), ("PUSH", customer)):
            self.change("bank", "INSERT INTO addresses VALUES (%s, %s, %s)", customer, channel, address)
        self.change(
            "bank",
            "INSERT INTO addresses (customer_id, channel, address, confirmed_at)"
            " VALUES (%s, 'SMS', %s, NULL)",
            customer,
            "+31612345678",
        )
        self.add_setting(customer, "low", "BALANCE_BELOW", ["EMAIL", "PUSH"], threshold=10_000)
        self.add_setting(customer, "out", "DEBITED_ABOVE", ["PUSH", "SMS"], threshold=25_000)
        self.add_setting(customer, "often", "TRANSACTION_COUNT", ["PUSH"], count=5, window=60)
        self.change(
            "bank",
            "INSERT INTO bookings (entry_id, account_id, currency, amount_minor, credit_debit, balance_minor,"
            " entry_type) VALUES (%s, %s, 'EUR', 100, 'DBIT', 128416, 'CARD')",
            f"{customer}-e0",
            self.account(customer),
        )
        self.publish(customer)

    def account(self, customer: str, account: str = ACCOUNT) -> str:
        """Return the number of a customer's account."""
        return f"{customer}-{account}"

    def add_setting(
        self,
        customer: str,
        name: str,
        alert_type: str,
        channels: Sequence[str],
        *,
        threshold: int | None = None,
        count: int | None = None,
        window: int | None = None,
    ) -> None:
        """Add an alert on the first account."""
        self.change(
            "bank",
            "INSERT INTO preferences (customer_id, setting_id, account_id, currency, alert_type, channels,"
            " threshold_minor, count, window_minutes) VALUES (%s, %s, %s, 'EUR', %s, %s, %s, %s, %s)",
            *(customer, name, self.account(customer), alert_type, list(channels), threshold, count, window),
        )

    def setting(self, customer: str, name: str) -> dict[str, Any]:
        """Return a setting as the database has it."""
        sql = "SELECT * FROM preferences WHERE customer_id = %s AND setting_id = %s"
        return self.ask("bank", sql, customer, name)[0]

    def publish(self, customer: str) -> None:
        """Bring what is saved into the senders' profiles, as Kafka and their reader do."""
        sql = "SELECT record FROM published.alert_settings WHERE customer_id = %s"
        row = profile_row(self.ask("bank", sql, customer)[0]["record"])
        self.change(
            "delivery",
            "INSERT INTO profiles (customer_id, language, time_zone, quiet_from, quiet_to, digest, addresses,"
            " settings) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (customer_id) DO UPDATE SET"
            " language = excluded.language, time_zone = excluded.time_zone, quiet_from = excluded.quiet_from,"
            " quiet_to = excluded.quiet_to, digest = excluded.digest, addresses = excluded.addresses,"
            " settings = excluded.settings",
            *(row[name] for name in ("customer_id", "language", "time_zone")),
            *(row[name] for name in ("quiet_from", "quiet_to", "digest")),
            *(json.dumps(row[name]) for name in ("addresses", "settings")),
        )

    def deliver(self, customer: str, entry: str, channel: str = "EMAIL", **fields: Any) -> str:
        """Have a sender hand an alert over; return its id."""
        now = datetime.now(UTC)
        alert: dict[str, Any] = {
            "alert_id": f"{customer}-{entry}-{channel}",
            "customer_id": customer,
            "channel": channel,
            "address": f"{customer}@example.com" if channel == "EMAIL" else customer,
            "alert_type": "DEBITED_ABOVE",
            "account_id": self.account(customer),
            "currency": "EUR",
            "entry_id": f"{customer}-{entry}",
            "setting_id": "out",
            "booked_at": round(now.timestamp() * 1000) - 120,
            "raised_at": round(now.timestamp() * 1000) - 40,
            "language": "en",
            "params": _PARAMS,
            "reasons": [_reason("out", "DEBITED_ABOVE", 25_000), _reason("low", "BALANCE_BELOW", 10_000)],
            **fields,
        }
        self.change(
            "delivery",
            "INSERT INTO deliveries (alert_id, channel, route, state, alert_type, customer_id, address,"
            " account_id, entry_id, setting_id, record, source_partition, source_offset, raised_at,"
            " written_at, received_at, claimed_at, sent_at, lease_owner, attempts)"
            " VALUES (%s, %s, %s, 'SENT', %s, %s, %s,"
            " %s, %s, %s, %s, 0, 0, %s, %s, now(), now(), now(), 'p1', 1)",
            *(alert["alert_id"], channel, channel, alert["alert_type"], customer, alert["address"]),
            *(alert["account_id"], alert["entry_id"], alert["setting_id"]),
            codec(self.config).encode("OutboundAlert", alert, self.config.topics.outbound_email.name),
            *(now, now),
        )
        alert_id: str = alert["alert_id"]
        return alert_id
