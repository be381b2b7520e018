"""The devices, in SQLite: what was answered with "registered" is on the disk."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from account_alerts.model.errors import InvalidRequestError, NotFoundError
from account_alerts.service.clock import SYSTEM_CLOCK
from devenv.bank.device_service.model import Device, ListedDevice, Registration

MOST_DEVICES = 20
"""Of one customer."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (
  device        TEXT PRIMARY KEY,
  customer      TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('WEB_PUSH', 'FCM', 'APNS')),
  token         TEXT NOT NULL,
  address       TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  UNIQUE (kind, token)
) STRICT;
CREATE INDEX IF NOT EXISTS devices_of_customer ON devices (customer, registered_at);
"""


class TooManyDevicesError(InvalidRequestError):
    """The customer has as many devices as one may have."""


class UnknownDeviceError(NotFoundError):
    """The customer has no device of that id."""


class Store:
    """The devices in a file; safe to be used by several threads."""

    def __init__(self, file: Path) -> None:
        """Open the file, or make it."""
        self._writer = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute("PRAGMA secure_delete = ON")
        self._writer.executescript(_SCHEMA)
        self._reader = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._writing, self._reading = threading.Lock(), threading.Lock()

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._writer.close()

    def register(self, wanted: Registration) -> tuple[ListedDevice, bool]:
        """Add a device, or change what is known of it; says also whether it is new.

        The same token is the same device. A token that another customer registered before is theirs no more:
        somebody else signed in there.

        Raises:
            UnknownDeviceError: The registration names a device that the customer does not have.
            TooManyDevicesError: There would be more than `MOST_DEVICES`.
        """
        address, token, now = json.dumps(wanted.address()), wanted.token(), SYSTEM_CLOCK.now_ms()
        with self._writing, self._writer as database:
            database.execute("BEGIN IMMEDIATE")
            mine = (wanted.customer, wanted.device)
            if wanted.device is not None and not self._exists("customer = ? AND device = ?", *mine):
                raise UnknownDeviceError(f"the customer has no device {wanted.device}")
            held = database.execute(
                "SELECT device, customer FROM devices WHERE kind = ? AND token = ?", (wanted.kind, token)
            ).fetchone()
            device = wanted.device
            if held is not None and device is None and held[1] == wanted.customer:
                device = held[0]
            elif held is not None and held[0] != device:
                database.execute("DELETE FROM devices WHERE device = ?", (held[0],))
            if device is not None:
                database.execute(
                    "UPDATE devices SET kind = ?, token = ?, address = ?, updated_at = ? WHERE device = ?",
                    (wanted.kind, token, address, now, device),
                )
                return self._one(device), False
            if self._count(wanted.customer) >= MOST_DEVICES:
                raise TooManyDevicesError(f"the customer has {MOST_DEVICES} devices; remove one first")
            device = secrets.token_hex(16)
            database.execute(
                "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?)",
                (device, wanted.customer, wanted.kind, token, address, now, now),
            )
            return self._one(device), True

    def remove(self, customer: str, device: str | None = None) -> int:
        """Remove a customer's device, or all of them; return how many."""
        with self._writing, self._writer as database:
            removed = database.execute(
                "DELETE FROM devices WHERE customer = ? AND device = ifnull(?, device)", (customer, device)
            )
            return removed.rowcount

    def devices(self, customer: str) -> list[ListedDevice]:
        """Return a customer's devices, the oldest first."""
        with self._reading:
            return self._select(self._reader, "WHERE customer = ? ORDER BY registered_at, device", customer)

    def lookup(self, customers: Iterable[str]) -> dict[str, list[Device]]:
        """Return the devices of each customer, also where there is none."""
        found: dict[str, list[Device]] = {customer: [] for customer in customers}
        marks = ", ".join("?" * len(found))
        with self._reading:
            rows = self._reader.execute(
                f"SELECT customer, device, kind, address FROM devices WHERE customer IN ({marks}) "
                "ORDER BY registered_at, device",
                tuple(found),
            ).fetchall()
        for customer, device, kind, address in rows:
            found[customer].append(Device(device=device, kind=kind, to=json.loads(address)))
        return found

    def check(self) -> None:
        """Read something; raises where that cannot be done."""
        with self._reading:
            self._reader.execute("SELECT 1 FROM devices LIMIT 1").fetchone()

    def _one(self, device: str) -> ListedDevice:
        return self._select(self._writer, "WHERE device = ?", device)[0]

    def _count(self, customer: str) -> int:
        query = "SELECT count(*) FROM devices WHERE customer = ?"
        return int(self._writer.execute(query, (customer,)).fetchone()[0])

    def _exists(self, condition: str, *values: Any) -> bool:
        query = f"SELECT 1 FROM devices WHERE {condition}"
        return self._writer.execute(query, values).fetchone() is not None

    @staticmethod
    def _select(database: sqlite3.Connection, where: str, *values: Any) -> list[ListedDevice]:
        rows = database.execute(
            f"SELECT device, kind, address, registered_at, updated_at FROM devices {where}", values
        )
        return [
            ListedDevice(
                device=device,
                kind=kind,
                to=json.loads(address),
                registered_at=registered_at,
                updated_at=updated_at,
            )
            for device, kind, address, registered_at, updated_at in rows.fetchall()
        ]
