"""Real bookings as records of the contract, and customers who want to hear about them.

The bookings, and who may see the accounts, come from the files in `data/`. Nobody knows what these customers
would have asked for, so their settings are made up: the same ones every time, with thresholds near what
happened on their accounts. No address is anybody's (example.com, the unassigned +999).
"""

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from account_alerts.codec import Record
from account_alerts.config import PROJECT
from account_alerts.money import to_minor

BOOKINGS = PROJECT / "data" / "transactions.csv.gz"
DISPOSITIONS = PROJECT / "data" / "dispositions.csv.gz"
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
_CHANNELS = (["EMAIL"], ["SMS"], ["PUSH"], ["EMAIL", "PUSH"], ["SMS", "PUSH"])
_LANGUAGES = ("cs", "cs", "cs", "en", "de")
# Per type: what is looked at, and which of its quantiles (in percent) may become the threshold.
_TYPES = {
    "BALANCE_BELOW": (35, 50, 65),
    "BALANCE_ABOVE": (35, 50, 65),
    "CREDITED_ABOVE": (50, 65, 80),
    "DEBITED_ABOVE": (50, 65, 80),
}


class SampleError(ValueError):
    """A file of bookings that cannot be understood; the message names file, line and cause."""


def read(file: Path = BOOKINGS) -> list[Record]:
    """AccountEntry records of a file in the order they were booked; `booked_at` is as recorded.

    Args:
        file: A CSV with the columns of `data/transactions.csv.gz`, or JSON lines with the fields of
            AccountEntry (times in milliseconds); either may be gzipped.

    Raises:
        SampleError: A line is neither.
    """
    as_json = ".json" in file.name.lower()
    lines = _lines(file)
    rows: Iterable[Any] = lines if as_json else csv.DictReader(lines)
    convert = json.loads if as_json else entry
    entries = []
    # A CSV's first line is its header.
    for number, row in enumerate(rows, start=1 if as_json else 2):
        try:
            entries.append(convert(row))
        except (ValueError, KeyError, TypeError) as error:
            raise SampleError(f"{file}, line {number}: {type(error).__name__}: {error}") from error
    try:
        return sorted(entries, key=lambda record: int(record["booked_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SampleError(f"{file}: a record without a booked_at in milliseconds") from error


def _lines(file: Path) -> Iterator[str]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        yield from lines


def entry(row: dict[str, str]) -> Record:
    """One row of the original bookings as AccountEntry; the time of day follows from the booking's id."""
    purpose, operation = row["k_symbol"], row["operation"]
    entry_type = "CARD" if operation == "VYBER KARTOU" else _PURPOSES.get(purpose)
    day = datetime.strptime(f"19{row['date']}", "%Y%m%d").replace(tzinfo=UTC)
    booked_at = day + timedelta(seconds=_pick(row["trans_id"], 86_400))
    return {
        "entry_id": row["trans_id"],
        "account_id": row["account_id"],
        "currency": CURRENCY,
        "amount_minor": to_minor(row["amount"], CURRENCY),
        "credit_debit": _CREDIT_DEBIT[row["type"]],
        "balance_minor": to_minor(row["balance"], CURRENCY),
        "booked_at": int(booked_at.timestamp()) * 1000,
        "entry_type": entry_type or _OPERATIONS.get(operation, "OTHER"),
        "merchant_id": None,
        "merchant_name": None,
        "merchant_category": None,
        "country": None,
        "counterparty": f"{row['account']}/{row['bank']}" if row["account"] else None,
        "description": " ".join(part for part in (operation, purpose) if part) or None,
    }


def authorizations(file: Path = DISPOSITIONS) -> list[Record]:
    """AccountAuthorization records: owners and authorized persons of every account."""
    customers: dict[str, list[str]] = defaultdict(list)
    for row in csv.DictReader(_lines(file)):
        customers[row["account_id"]].append(row["client_id"])
    return [{"account_id": account, "customer_ids": ids} for account, ids in sorted(customers.items())]


def settings(entries: Iterable[Record], may_see: Iterable[Record]) -> list[Record]:
    """AlertSettings of everybody in `may_see`: two or three settings an account, near its usual figures."""
    booked: dict[str, list[Record]] = defaultdict(list)
    for record in entries:
        booked[record["account_id"]].append(record)
    accounts: dict[str, list[str]] = defaultdict(list)
    for authorization in may_see:
        for customer in authorization["customer_ids"]:
            accounts[customer].append(authorization["account_id"])
    return [
        {
            "customer_id": customer,
            "language": _LANGUAGES[_pick(customer, len(_LANGUAGES))],
            "time_zone": "Europe/Prague",
            "addresses": [
                {"channel": "EMAIL", "address": f"customer-{customer}@example.com"},
                {"channel": "SMS", "address": f"+9999{int(customer):08d}"},
                {"channel": "PUSH", "address": customer},
            ],
            "settings": [
                setting
                for account in own
                for setting in _settings(customer, account, booked.get(account, []))
            ],
            "quiet_from": None,
            "quiet_to": None,
            "digest": None,
        }
        for customer, own in sorted(accounts.items())
    ]


def _settings(customer: str, account: str, entries: Sequence[Record]) -> Iterator[Record]:
    """All but one or two of the four types, for one customer and account."""
    observed = {
        "BALANCE_BELOW": [record["balance_minor"] for record in entries],
        "BALANCE_ABOVE": [record["balance_minor"] for record in entries],
        "CREDITED_ABOVE": [record["amount_minor"] for record in entries if record["credit_debit"] == "CRDT"],
        "DEBITED_ABOVE": [record["amount_minor"] for record in entries if record["credit_debit"] == "DBIT"],
    }
    left_out = {_pick(f"{customer} {account} {salt}", len(_TYPES)) for salt in range(2)}
    for number, (alert_type, quantiles) in enumerate(_TYPES.items()):
        values = sorted(observed[alert_type])
        if number in left_out or not values:
            continue
        choice = f"{customer} {account} {alert_type}"
        quantile = quantiles[_pick(choice, len(quantiles))]
        yield {
            "setting_id": f"{account}-{alert_type.lower().replace('_', '-')}",
            "account_id": account,
            "currency": CURRENCY,
            "alert_type": alert_type,
            "channels": _CHANNELS[_pick(f"{choice} channel", len(_CHANNELS))],
            "threshold_minor": values[len(values) * quantile // 100],
            "count": None,
            "window_minutes": None,
            "snoozed_until": None,
        }


def expected_alerts(
    entries: Iterable[Record], wanted: Iterable[Record]
) -> Iterator[tuple[str, str, str, str]]:
    """What must come of the bookings: booking, customer, setting and channel of every alert.

    For settings as `settings` makes them: valid, the customer authorized and with an address on each channel.
    """
    by_account: dict[str, list[tuple[str, Record]]] = defaultdict(list)
    for record in wanted:
        for setting in record["settings"]:
            by_account[setting["account_id"]].append((record["customer_id"], setting))
    for booked in entries:
        for customer, setting in by_account[booked["account_id"]]:
            if _raised(booked, setting["alert_type"], setting["threshold_minor"]):
                for channel in setting["channels"]:
                    yield booked["entry_id"], customer, setting["setting_id"], channel


def _raised(booked: Record, alert_type: str, threshold: int) -> bool:
    amount, balance = booked["amount_minor"], booked["balance_minor"]
    signed = amount if booked["credit_debit"] == "CRDT" else -amount
    return bool(
        {
            "BALANCE_ABOVE": balance > threshold >= balance - signed,
            "BALANCE_BELOW": balance < threshold <= balance - signed,
            "CREDITED_ABOVE": signed > max(threshold, 0),
            "DEBITED_ABOVE": -signed > max(threshold, 0),
        }[alert_type]
    )


def _pick(text: str, choices: int) -> int:
    """A number below `choices` that looks random and is the same for the same text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % choices
