"""What is measured with: accounts, their rules, and bookings of which a known share raises an alert.

All ids have a fixed width, so records are made by patching the bytes of one encoded template: millions of
records take seconds.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from account_alerts.model.alerts import AlertType
from account_alerts.records.codec import Codec, Record, RecordName

Bytes = npt.NDArray[np.uint8]

CURRENCY = "CZK"
_DIGITS = 9
_THRESHOLD = 90_000_000
_RAISING = 100_000_000
# Between these an Avro long takes four bytes, so any amount fits into the template's place.
_SMALLEST, _LARGEST = 1 << 20, 1 << 26
_SECOND_OWNER = 3
"""Every third account has a second customer who may see it: 133,000 authorizations for 100,000 accounts."""
_COUNTING = 10
_COUNT = AlertType.TRANSACTION_COUNT
_OUT_OF_REACH = 10**15
_TYPES = {
    AlertType.BALANCE_ABOVE: _OUT_OF_REACH,
    AlertType.BALANCE_BELOW: -_OUT_OF_REACH,
    AlertType.CREDITED_ABOVE: _THRESHOLD,
    AlertType.DEBITED_ABOVE: _THRESHOLD,
}
_ADDRESSES = [("EMAIL", "{}@example.com"), ("SMS", "+420600000000"), ("PUSH", "{}")]


def account_id(number: int) -> str:
    """Return the id of an account."""
    return f"A{number:0{_DIGITS}}"


def customers(number: int) -> list[str]:
    """Who may see an account."""
    owners = 2 if number % _SECOND_OWNER == 0 else 1
    return [f"C{owner}{number:0{_DIGITS}}" for owner in range(owners)]


@dataclass(frozen=True)
class Template:
    """An encoded record in which ids can be exchanged for others of the same width."""

    data: Bytes
    places: npt.NDArray[np.int64]
    """Where each exchangeable number begins."""

    def fill(self, numbers: npt.NDArray[np.int64]) -> Bytes:
        """Return the record once per number, as rows of bytes."""
        rows = np.tile(self.data, (len(numbers), 1))
        digits = _digits(numbers)
        for place in self.places:
            rows[:, place : place + _DIGITS] = digits
        return rows


def _digits(numbers: npt.NDArray[np.int64]) -> Bytes:
    powers = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _template(record: RecordName, value: Record, marks: list[str]) -> tuple[Template, ...]:
    """Return the encoded value, and for each mark (text of the width of a number) where it stands."""
    data = Codec().encode(record, value, "")
    array = np.frombuffer(data, np.uint8)
    found = []
    for mark in marks:
        places, start = [], -1
        while (start := data.find(mark.encode(), start + 1)) >= 0:
            places.append(start)
        found.append(Template(array, np.array(places, np.int64)))
    return tuple(found)


def rows_as_bytes(rows: Bytes) -> list[bytes]:
    """Each row as `bytes`."""
    width = rows.shape[1]
    data = rows.tobytes()
    return [data[start : start + width] for start in range(0, len(data), width)]


def keys(prefix: str, numbers: npt.NDArray[np.int64]) -> list[bytes]:
    """Return the Kafka keys of accounts or customers."""
    start = np.frombuffer(prefix.encode(), np.uint8)
    return rows_as_bytes(np.hstack([np.tile(start, (len(numbers), 1)), _digits(numbers)]))


_MARK = "123456789"
_ENTRY_MARK = "987654321"
Pair = tuple[bytes, bytes]
"""Key and value of a record."""


def authorizations(numbers: npt.NDArray[np.int64]) -> list[Pair]:
    """Who may see each account."""
    pairs: list[Pair] = []
    for two in (False, True):
        chosen = numbers[(numbers % _SECOND_OWNER == 0) == two]
        owners = [f"C{owner}{_MARK}" for owner in range(2 if two else 1)]
        value = {"account_id": f"A{_MARK}", "customer_ids": owners}
        (template,) = _template("AccountAuthorization", value, [_MARK])
        pairs += zip(keys("A", chosen), rows_as_bytes(template.fill(chosen)), strict=True)
    return pairs


def settings(numbers: npt.NDArray[np.int64], counting: bool = False) -> list[Pair]:
    """Four settings of each customer who may see one of the accounts.

    With `counting`, the customers of every tenth account also count card bookings: more than they will see.
    """
    pairs: list[Pair] = []
    for owner, counted in product((0, 1), (False, True) if counting else (False,)):
        chosen = numbers if owner == 0 else numbers[numbers % _SECOND_OWNER == 0]
        if counting:
            chosen = chosen[(chosen % _COUNTING == 0) == counted]
        customer = f"C{owner}{_MARK}"
        wanted = [_setting(alert_type, threshold) for alert_type, threshold in _TYPES.items()]
        if counted:
            wanted.append({**_setting(_COUNT, None), "count": 2**31 - 1, "window_minutes": 60})
        value = {
            "customer_id": customer,
            "addresses": [{"channel": of, "address": text.format(customer)} for of, text in _ADDRESSES],
            "settings": [{"account_id": f"A{_MARK}", **setting} for setting in wanted],
        }
        (template,) = _template("AlertSettings", value, [_MARK])
        pairs += zip(keys(f"C{owner}", chosen), rows_as_bytes(template.fill(chosen)), strict=True)
    return pairs


def _setting(alert_type: str, threshold: int | None) -> dict[str, Any]:
    return {
        "setting_id": f"S-{alert_type}",
        "currency": CURRENCY,
        "alert_type": alert_type,
        "channels": ["EMAIL"],
        "threshold_minor": threshold,
        "count": None,
        "window_minutes": None,
    }


@dataclass(frozen=True)
class Bookings:
    """A block of bookings, and how many alerts they raise."""

    pairs: list[Pair]
    alerts: int


@cache
def _entry_templates() -> tuple[Template, Template, int, int]:
    entry: Record = {
        "entry_id": f"E{_ENTRY_MARK}",
        "account_id": f"A{_MARK}",
        "currency": CURRENCY,
        "amount_minor": _RAISING,
        "credit_debit": "DBIT",
        "balance_minor": 12_345_678,
        "booked_at": time.time_ns() // 1_000_000,
        "entry_type": "CARD",
        "merchant_id": "M-000123",
        "merchant_name": "Grocer at the Bridge",
        "merchant_category": "5411",
        "country": "CZ",
        "counterparty": "CZ6508000000192000145399",
        "description": f"Card payment {_ENTRY_MARK}",
    }
    entry_ids, accounts = _template("AccountEntry", entry, [_ENTRY_MARK, _MARK])
    data = entry_ids.data.tobytes()
    return entry_ids, accounts, data.find(_varint(_RAISING)), data.find(b"DBIT")


def _varint(amount: int) -> bytes:
    """Return a positive Avro long of four bytes."""
    return bytes(_amount_bytes(np.array([amount], np.int64))[0])


def _amount_bytes(amounts: npt.NDArray[np.int64]) -> Bytes:
    zigzag = amounts << 1
    parts = np.stack(
        [(zigzag >> shift & 0x7F) | (0x80 if shift < 21 else 0) for shift in (0, 7, 14, 21)], axis=1
    )
    data: Bytes = parts.astype(np.uint8)
    return data


def bookings(first: int, count: int, accounts: int, share: float, block: int = 50_000) -> Iterator[Bookings]:
    """Bookings with ids from `first`, spread evenly over accounts; the given share of them raises alerts.

    The same arguments give the same bookings.
    """
    random = np.random.default_rng(first)
    entry_ids, account_template, amount_at, direction_at = _entry_templates()
    for start in range(first, first + count, block):
        numbers = np.arange(start, min(start + block, first + count), dtype=np.int64)
        of = random.integers(0, accounts, len(numbers))
        raising = random.random(len(numbers)) < share
        amounts = np.where(raising, _RAISING, random.integers(_SMALLEST, _LARGEST, len(numbers)))
        rows = entry_ids.fill(numbers)
        digits = _digits(of)
        for place in account_template.places:
            rows[:, place : place + _DIGITS] = digits
        rows[:, amount_at : amount_at + 4] = _amount_bytes(amounts)
        credited = random.random(len(numbers)) < 0.5
        rows[credited, direction_at : direction_at + 4] = np.frombuffer(b"CRDT", np.uint8)
        alerts = int(raising.sum() + (raising & (of % _SECOND_OWNER == 0)).sum())
        yield Bookings(list(zip(keys("A", of), rows_as_bytes(rows), strict=True)), alerts)
