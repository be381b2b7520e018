"""A plain model of the bank's database: what its published records must be."""

from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
PREFERENCE = {
    "currency": "EUR",
    "alert_type": "BALANCE_BELOW",
    "channels": ["EMAIL"],
    "threshold_minor": 100,
    "count": None,
    "window_minutes": None,
    "snoozed_until": None,
}


@dataclass
class Bank:
    """Hold the tables."""

    customers: dict[str, Record] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    rights: set[tuple[str, str]] = field(default_factory=set)
    addresses: set[tuple[str, str, str]] = field(default_factory=set)
    preferences: dict[tuple[str, str], Record] = field(default_factory=dict)
    unconfirmed: set[tuple[str, str, str]] = field(default_factory=set)
    """Of the addresses."""
    switched_off: set[tuple[str, str]] = field(default_factory=set)
    """Of the preferences."""
    paused: dict[str, int] = field(default_factory=dict)
    """Until when, by customer; milliseconds UTC."""

    def settings(self) -> dict[str, Record]:
        """Return AlertSettings by customer."""
        return {
            customer: {
                "customer_id": customer,
                **own,
                "addresses": [
                    {"channel": channel, "address": address}
                    for who, channel, address in sorted(self.addresses - self.unconfirmed)
                    if who == customer
                ],
                "settings": [
                    {"setting_id": name, **preference, "snoozed_until": self._snoozed(customer, preference)}
                    for (who, name), preference in sorted(self.preferences.items())
                    if who == customer and (who, name) not in self.switched_off
                ],
            }
            for customer, own in self.customers.items()
        }

    def _snoozed(self, customer: str, preference: Record) -> int | None:
        until = [
            each for each in (preference["snoozed_until"], self.paused.get(customer)) if each is not None
        ]
        return max(until, default=None)

    def authorizations(self) -> dict[str, Record]:
        """Return AccountAuthorization by account."""
        return {
            account: {
                "account_id": account,
                "customer_ids": sorted(who for owned, who in self.rights if owned == account),
            }
            for account in {account for account, _ in self.rights}
        }

    def put_customer(self, customer: str, **fields: Any) -> None:
        """Add or change a customer."""
        default = {"language": "en", "time_zone": "UTC", "quiet_from": None, "quiet_to": None, "digest": None}
        self.customers[customer] = {**default, **fields}

    def drop_customer(self, customer: str) -> None:
        """Drop a customer with everything of theirs."""
        self.customers.pop(customer, None)
        self.paused.pop(customer, None)
        self.rights = {right for right in self.rights if right[1] != customer}
        self.addresses = {address for address in self.addresses if address[0] != customer}
        self.preferences = {key: kept for key, kept in self.preferences.items() if key[0] != customer}
        self.unconfirmed &= self.addresses
        self.switched_off &= self.preferences.keys()

    def drop_account(self, account: str) -> None:
        """Drop an account with everything about it."""
        self.accounts.discard(account)
        self.rights = {right for right in self.rights if right[0] != account}
        self.preferences = {
            key: kept for key, kept in self.preferences.items() if kept["account_id"] != account
        }
        self.switched_off &= self.preferences.keys()
