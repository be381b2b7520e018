"""From the matches of an analyst's rule to its alerts: pure functions."""

import json
from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

from account_alerts.model.alerts import Channel
from account_alerts.model.analyst_rule_keys import About, RegistryKey, setting_id_of_alerts
from udfs.alerts import make_alerts


class RuleMatch(TypedDict):
    """A booking that an analyst's rule found: a row of sql/tables/rule_hits.sql.

    Amounts are minor units, times milliseconds UTC.
    """

    rule: str
    entry_id: str
    customer_id: str
    """The customer whom the rule names; empty: all who may see the account. Then: the customer it is for."""
    account_id: str
    currency: str
    amount_minor: int
    balance_minor: int
    booked_at: int
    written_at: int
    """Kafka time of the booking."""
    threshold_minor: NotRequired[int | None]
    channels: str
    """Those that the rule wants, with commas between them; empty: any."""
    per_minute: int
    found_at: NotRequired[int]
    """Kafka time of the match; where it is missing the booking's counts."""


class RuleAlert(TypedDict):
    """An alert of an analyst's rule to one address. Amounts are decimal integers of minor units."""

    customer_id: str
    account_id: str
    currency: str
    entry_id: str
    booked_at: int
    written_at: int
    found_at: int
    per_minute: int
    alert_id: str
    channel: str
    address: str
    alert_type: str
    setting_id: str
    language: str
    threshold_minor: str
    amount_minor: str
    balance_minor: str


_TEXTS = ("rule", "entry_id", "customer_id", "account_id", "currency", "channels")
_NUMBERS = ("amount_minor", "balance_minor", "booked_at", "written_at", "per_minute")


def read_match(record: bytes | None) -> RuleMatch | None:
    """Read a match; None for a tombstone (the rule took it back) and for what is no match."""
    try:
        match = json.loads(record or b"null")
        whole = (
            isinstance(match, dict)
            and all(type(match.get(name)) is str and match[name].encode() is not None for name in _TEXTS)
            and all(type(match.get(name)) is int for name in _NUMBERS)
            and type(match.get("threshold_minor")) in (int, type(None))
        )
    except (ValueError, RecursionError):
        return None
    return cast(RuleMatch, match) if whole else None


def read_breaker_reset(key: bytes | None, record: bytes | None) -> str | None:
    """Return the rule whose circuit breaker a record of `adhoc-rules` closes; None where it closes none.

    It was started, or an operator decided on its quarantined alerts.
    """
    try:
        rule, about = RegistryKey.parse(key)
    except ValueError:
        return None
    return None if record is None or about is About.HALTED else rule


def recipients(match: RuleMatch, authorized: list[str] | None) -> list[str]:
    """Choose the customers of a match: those who may see the account, or of them the one it names."""
    named = match["customer_id"]
    return sorted(customer for customer in set(authorized or ()) if not named or customer == named)


def build_alerts(match: RuleMatch, contact: dict[str, Any] | None) -> Iterator[RuleAlert]:
    """Make the alerts of a match for its customer: one for each address on a channel that the rule wants.

    `contact` has the customer's `language` and `addresses` as in AlertSettings; None: there is none. The
    alert type is the rule's name.
    """
    if contact is None:
        return
    wanted = match["channels"].split(",") if match["channels"] else [channel.value for channel in Channel]
    setting_id = setting_id_of_alerts(match["rule"])
    made = make_alerts(
        match["entry_id"].encode(),
        match["customer_id"].encode(),
        setting_id.encode(),
        wanted,
        [address["channel"] for address in contact["addresses"]],
        [address["address"] for address in contact["addresses"]],
    )
    for alert_id, channel, address in made:
        if alert_id is not None and address is not None:
            yield RuleAlert(
                customer_id=match["customer_id"],
                account_id=match["account_id"],
                currency=match["currency"],
                entry_id=match["entry_id"],
                booked_at=match["booked_at"],
                written_at=match["written_at"],
                found_at=match.get("found_at", match["written_at"]),
                per_minute=match["per_minute"],
                alert_id=alert_id,
                channel=channel,
                address=address,
                alert_type=match["rule"],
                setting_id=setting_id,
                language=contact["language"],
                threshold_minor=_text(match.get("threshold_minor")),
                amount_minor=_text(match["amount_minor"]),
                balance_minor=_text(match["balance_minor"]),
            )


def _text(minor: int | None) -> str:
    return "" if minor is None else str(minor)
