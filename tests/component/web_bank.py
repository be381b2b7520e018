"""A bank's database with two customers, and the parts of the web application that use it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx2
import psycopg
from prometheus_client import CollectorRegistry

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv.bank.device_service.app import make_app
from devenv.bank.device_service.store import Store as DeviceStore
from operations.migrations import FOLDER, migrate
from web.auth.dependencies import Customer
from web.devices import Devices
from web.parts import Parts, make_parts
from web.store import customers

SECRET = "0123456789abcdef0123456789abcdef"
FILL = """
INSERT INTO customers (customer_id, language, time_zone)
VALUES ('anna', 'en', 'Europe/Amsterdam'), ('ben', 'nl-BE', 'UTC');
INSERT INTO accounts VALUES ('NL01'), ('NL02'), ('NL03');
INSERT INTO access_rights VALUES ('NL01', 'anna'), ('NL02', 'anna'), ('NL02', 'ben'), ('NL03', 'ben');
INSERT INTO addresses (customer_id, channel, address) VALUES
    ('anna', 'EMAIL', 'anna@example.com'), ('anna', 'SMS', '+31612345678'),
    ('ben', 'EMAIL', 'ben@example.com');
INSERT INTO preferences (
    customer_id, setting_id, account_id, currency, alert_type, channels, threshold_minor
) VALUES
    ('anna', 'low', 'NL01', 'EUR', 'BALANCE_BELOW', '{EMAIL}', 10000),
    ('anna', 'shared/1', 'NL02', 'EUR', 'DEBITED_ABOVE', '{EMAIL,SMS}', 50000),
    ('ben', 'bens', 'NL03', 'EUR', 'BALANCE_ABOVE', '{EMAIL}', 1);
INSERT INTO bookings (entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, entry_type)
VALUES ('e1', 'NL01', 'EUR', 100, 'DBIT', 12345, 'CARD');
"""


def fill(bank: Database) -> None:
    """Make the bank's tables and two customers: anna (NL01, NL02) and ben (NL02, NL03)."""
    migrate(bank, FOLDER / "bank")
    with database.connect(bank) as connection:
        connection.execute(FILL.encode())


def configure(config: Config, bank: Database, **overrides: Any) -> Config:
    """Return the configuration of an application on this bank's database."""
    return config.override({"bank": {"name": bank.name}, "web": {"session_secret": SECRET}, **overrides})


def make(config: Config, devices: DeviceStore) -> Parts:
    """Make the parts; the device service is in this process."""
    transport = httpx2.ASGITransport(app=make_app(devices, None))
    return replace(make_parts(config, CollectorRegistry()), devices=Devices(config, transport))


async def run(parts: Parts, steps: Callable[[Parts], Awaitable[None]]) -> None:
    """Take steps while the databases' pools are open."""
    await parts.bank.open()
    await parts.ledger.open()
    try:
        await steps(parts)
    finally:
        await parts.bank.close()
        await parts.ledger.close()


async def customer(parts: Parts, customer_id: str) -> Customer:
    """Return a customer as a request has them."""
    async with parts.bank.read() as connection:
        found = await customers.find(connection, customer_id)
    assert found is not None
    return Customer(found, f"test {customer_id}")


def published(connection: psycopg.Connection[Any], customer_id: str) -> dict[str, Any]:
    """Return what the rest of the chain knows of a customer."""
    query = "SELECT record FROM published.alert_settings WHERE customer_id = %s"
    row = connection.execute(query, (customer_id,)).fetchone()
    assert row is not None
    record: dict[str, Any] = row[0]
    return record
