"""Real bookings as records of the contract, and customers who want to hear about them.

The bookings, and who may see the accounts, come from the files in `data/`. Nobody knows what these customers
would have asked for, so their settings are made up: the same ones every time, with thresholds near what
happened on their accounts. No address is anybody's (example.com, the unassigned +999).
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from account_alerts.config import PROJECT
from account_alerts.model.alerts import AlertType
from account_alerts.records.codec import Record
from operations.booking_files import CURRENCY, _lines, _pick

DISPOSITIONS = PROJECT / "data" / "dispositions.csv.gz"
DEMO_ALERTS = PROJECT / "data" / "demo_alerts.csv.gz"
_CHANNELS = (["EMAIL"], ["SMS"], ["PUSH"], ["EMAIL", "PUSH"], ["SMS", "PUSH"])
_LANGUAGES = ("cs", "cs", "cs", "en", "de")
# Per type: what is looked at, and which of its quantiles (in percent) may become the threshold.
_TYPES = {
    AlertType.BALANCE_BELOW: (35, 50, 65),
    AlertType.BALANCE_ABOVE: (35, 50, 65),
    AlertType.CREDITED_ABOVE: (50, 65, 80),
    AlertType.DEBITED_ABOVE: (50, 65, 80),
}


def authorizations(file: Path = DISPOSITIONS) -> list[Record]:
    """Read AccountAuthorization records: owners and authorized persons of every account."""
    customers: dict[str, list[str]] = defaultdict(list)
    for row in csv.DictReader(_lines(file)):
        customers[row["account_id"]].append(row["client_id"])
    return [{"account_id": account, "customer_ids": ids} for account, ids in sorted(customers.items())]


def settings(entries: Iterable[Record], may_see: Iterable[Record]) -> list[Record]:
    """Make AlertSettings of everybody in `may_see`: two or three an account, near its usual figures."""
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
    """Choose all but one or two of the four types, for one customer and account."""
    balances = [record["balance_minor"] for record in entries if record["balance_minor"] is not None]
    observed = {
        AlertType.BALANCE_BELOW: balances,
        AlertType.BALANCE_ABOVE: balances,
        AlertType.CREDITED_ABOVE: [
            record["amount_minor"] for record in entries if record["credit_debit"] == "CRDT"
        ],
        AlertType.DEBITED_ABOVE: [
            record["amount_minor"] for record in entries if record["credit_debit"] == "DBIT"
        ],
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
            "alert_type": alert_type.value,
            "channels": _CHANNELS[_pick(f"{choice} channel", len(_CHANNELS))],
            "threshold_minor": values[len(values) * quantile // 100],
            "count": None,
            "window_minutes": None,
            "snoozed_until": None,
        }


def expected_alerts(file: Path = DEMO_ALERTS) -> set[tuple[str, str, str, str]]:
    """Read what must come of the demo's bookings: booking, customer, setting and channel of every alert.

    They are data, made by the tests' reference model: when an alert is raised stands in the jobs only.
    """
    return {
        (row["entry_id"], row["customer_id"], row["setting_id"], row["channel"])
        for row in csv.DictReader(_lines(file))
    }
