"""Files of bookings: a CSV as the sample, or JSON lines."""

import csv
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from account_alerts.config import PROJECT
from account_alerts.model.errors import InvalidRecordError
from account_alerts.model.money import to_minor
from account_alerts.records.bookings import DEFAULTS
from account_alerts.records.codec import Record

BOOKINGS = PROJECT / "data" / "transactions.csv.gz"
CURRENCY = "CZK"

_CREDIT_DEBIT = {"PRIJEM": "CRDT", "VYDAJ": "DBIT", "VYBER": "DBIT"}
_PURPOSES = {
    "UROK": "INTEREST",
    "SANKC. UROK": "INTEREST",
    "SLUZBY": "FEE",
    "SIPO": "DIRECT_DEBIT",
    "POJISTNE": "DIRECT_DEBIT",
    "UVER": "DIRECT_DEBIT",
}
_OPERATIONS = {
    "VKLAD": "CASH",
    "VYBER": "CASH",
    "VYBER KARTOU": "CARD",
    "PREVOD Z UCTU": "TRANSFER",
    "PREVOD NA UCET": "TRANSFER",
}


class BookingFileError(InvalidRecordError):
    """A file of bookings that cannot be understood; the message names file, line and cause."""


def read(file: Path = BOOKINGS) -> list[Record]:
    """Read a file's AccountEntry records in the order they were booked; `booked_at` is as recorded.

    Args:
        file: A CSV with the columns of `data/transactions.csv.gz`, or JSON lines with the fields of
            AccountEntry (times in milliseconds; nullable ones may be left out); either may be gzipped.

    Raises:
        BookingFileError: A line is neither.
    """
    as_json = ".json" in file.name.lower()
    lines = _lines(file)
    rows: Iterable[Any] = lines if as_json else csv.DictReader(lines)
    convert = _whole if as_json else entry
    entries = []
    # A CSV's first line is its header.
    for number, row in enumerate(rows, start=1 if as_json else 2):
        try:
            entries.append(convert(row))
        except (ValueError, KeyError, TypeError) as error:
            raise BookingFileError(f"{file}, line {number}: {type(error).__name__}: {error}") from error
    try:
        return sorted(entries, key=lambda record: int(record["booked_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BookingFileError(f"{file}: a record without a booked_at in milliseconds") from error


def _whole(line: str) -> Record:
    return {**DEFAULTS, **json.loads(line)}


def _lines(file: Path) -> Iterator[str]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        yield from lines


def entry(row: dict[str, str]) -> Record:
    """Convert a row of the original bookings; the time of day follows from the booking's id."""
    purpose, operation = row["k_symbol"], row["operation"]
    entry_type = "CARD" if operation == "VYBER KARTOU" else _PURPOSES.get(purpose)
    day = datetime.strptime(f"19{row['date']}", "%Y%m%d").replace(tzinfo=UTC)
    booked_at = day + timedelta(seconds=_pick(row["trans_id"], 86_400))
    return {
        **DEFAULTS,
        "entry_id": row["trans_id"],
        "account_id": row["account_id"],
        "currency": CURRENCY,
        "amount_minor": to_minor(row["amount"], CURRENCY),
        "credit_debit": _CREDIT_DEBIT[row["type"]],
        "balance_minor": to_minor(row["balance"], CURRENCY),
        "booked_at": int(booked_at.timestamp()) * 1000,
        "entry_type": entry_type or _OPERATIONS.get(operation, "OTHER"),
        "counterparty": f"{row['account']}/{row['bank']}" if row["account"] else None,
        "description": " ".join(part for part in (operation, purpose) if part) or None,
    }


def _pick(text: str, choices: int) -> int:
    """Return a number below `choices` that looks random, the same for the same text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % choices
