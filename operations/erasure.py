"""Erases a customer from every store that can forget, in an order in which nothing of them comes back.

First nobody is to be alerted: the bank's database forgets them, and the tombstones of their records go
through Kafka. When the senders know it, the ledger forgets what was sent. A step that did not succeed is
reported; all of it may be repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2
import psycopg

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.errors import AlertsError, UnreachableError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from delivery.ledger import audit
from operations import customer_records

_DEVICE_SECONDS = 10.0
_POLL_SECONDS = 0.2
REMAINS = (
    "Bookings, alerts and clicks on Kafka until their topics' retention: none of one can go earlier.",
    "Ids and times of deliveries in the ledger until senders.retention: a replay may bring the ids again.",
    "Numbers that opted out of SMS, until the bank deletes them.",
    "Savepoints that were made before: who made one deletes it.",
    "Messages that gateways, mail servers and phones have.",
)
"""What this cannot erase, for the report."""


@dataclass(frozen=True)
class Step:
    """What came of one store."""

    store: str
    done: bool
    words: str


@dataclass(frozen=True)
class Report:
    """What came of all of them."""

    customer: str
    steps: tuple[Step, ...]

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return all(step.done for step in self.steps)


def erase(config: Config, customer: str, wait_seconds: float = 30.0, clock: Clock = SYSTEM_CLOCK) -> Report:
    """Erase a customer; a store that is away is reported, and leaves the others.

    Args:
        config: Says which stores there are.
        customer: Their id.
        wait_seconds: How long to wait for the senders to know that they left.
        clock: Tells how long that was.
    """
    steps: list[tuple[str, Callable[[], tuple[bool, str]]]] = []
    if config.bank is not None:
        steps.append(("bank's database", lambda: _bank(config, customer)))
    if config.capture is None or config.bank is None:
        steps.append(("alert-settings", lambda: _tombstone(config, customer)))
    if config.delivery is not None:
        steps.append(("senders' profiles", lambda: _profile(config, customer, wait_seconds, clock)))
        steps.append(("delivery ledger", lambda: _ledger(config, customer)))
    if config.devices is not None:
        steps.append(("device service", lambda: _devices(config, customer)))
    return Report(customer, tuple(_take(steps)))


def _take(steps: list[tuple[str, Callable[[], tuple[bool, str]]]]) -> Iterator[Step]:
    for store, step in steps:
        try:
            done, words = step()
        except (AlertsError, psycopg.Error) as error:
            done, words = False, f"{error}".strip() or type(error).__name__
        yield Step(store, done, words)


def _bank(config: Config, customer: str) -> tuple[bool, str]:
    with postgres.connect(config.require("bank")) as connection:
        found = connection.execute("SELECT FROM customers WHERE customer_id = %s", [customer]).fetchone()
        connection.execute("CALL forget_customer(%s)", [customer])
    if found is None:
        return True, "was not there (any more); the history was emptied of them"
    return True, "deleted with accesses, addresses and settings; the history was emptied of them"


def _tombstone(config: Config, customer: str) -> tuple[bool, str]:
    customer_records.delete(config, customer)
    return True, "a tombstone was written; whoever feeds account-authorizations takes them out there"


def _profile(config: Config, customer: str, wait_seconds: float, clock: Clock) -> tuple[bool, str]:
    began = clock.monotonic()
    while True:
        # Each look in a transaction of its own.
        with postgres.connect(config.require("delivery")) as connection:
            sql = "SELECT FROM profiles WHERE customer_id = %s"
            if connection.execute(sql, [customer]).fetchone() is None:
                return True, "gone: no alert is sent to them any more"
            if clock.monotonic() - began >= wait_seconds:
                return (
                    False,
                    f"not gone after {wait_seconds:.0f} s: are capture and profiles running? Repeat it",
                )
            connection.execute("SELECT pg_sleep(%s)", [_POLL_SECONDS])


def _ledger(config: Config, customer: str) -> tuple[bool, str]:
    return True, f"{audit.erase(config, customer)} deliveries erased; what waited was cancelled"


def _devices(config: Config, customer: str) -> tuple[bool, str]:
    devices = config.require("devices")
    headers = {"Authorization": f"Bearer {devices.token.get_secret_value()}"} if devices.token else {}
    try:
        answer = httpx2.delete(
            f"{devices.url.rstrip('/')}/v1/devices",
            params={"customer": customer},
            headers=headers,
            timeout=_DEVICE_SECONDS,
        )
        answer.raise_for_status()
        removed = answer.json().get("removed", 0)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        # Without its address: that has the customer's id.
        raise UnreachableError(f"the device service at {devices.url}: {type(error).__name__}") from error
    return True, f"{removed} devices removed"
