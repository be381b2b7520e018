"""From what an analyst's rule found to its alerts: pure functions."""

import json
from collections.abc import Iterator
from typing import Any

from account_alerts.model.alerts import Channel
from udfs.alerts import make_alerts

Hit = dict[str, Any]
"""A row of sql/tables/rule_hits.sql with the Kafka time at which it was `found_at`; on its way `customer_id`
becomes the customer's."""

_TEXTS = ("rule", "entry_id", "customer_id", "account_id", "currency", "channels")
_NUMBERS = ("amount_minor", "balance_minor", "booked_at", "written_at", "per_minute")


def read_hit(record: bytes | None) -> Hit | None:
    """A hit from its record; None for a tombstone (the rule took it back) and for what is no hit."""
    try:
        hit = json.loads(record or b"null")
        whole = (
            isinstance(hit, dict)
            and all(type(hit.get(name)) is str and hit[name].encode() is not None for name in _TEXTS)
            and all(type(hit.get(name)) is int for name in _NUMBERS)
            and type(hit.get("threshold_minor")) in (int, type(None))
        )
    except (ValueError, RecursionError):
        return None
    return hit if whole else None


def read_reset(key: bytes | None, record: bytes | None) -> str | None:
    """The rule whose breaker a record closes: it was started, or under its name and `:held` decided on."""
    if record is None:
        return None
    try:
        name, _, about = (key or b"").decode().partition(":")
    except ValueError:
        return None
    return name if about in ("", "held") else None


def customers_of(hit: Hit, authorized: list[str] | None) -> list[str]:
    """Whom a hit is for: those who may see the account, or of them the one that the rule names."""
    named = hit["customer_id"]
    return sorted(customer for customer in set(authorized or ()) if not named or customer == named)


def alerts_of(hit: Hit, contact: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The alerts of a hit for its customer: one for each address on a channel that the rule wants.

    `contact` has the customer's `language` and `addresses` as in AlertSettings; None: there is none. The type
    and the setting are the rule's name; `adhoc:` keeps it apart from customers' own settings.
    """
    if contact is None:
        return
    wanted = hit["channels"].split(",") if hit["channels"] else [channel.value for channel in Channel]
    setting_id = f"adhoc:{hit['rule']}"
    made = make_alerts(
        hit["entry_id"].encode(),
        hit["customer_id"].encode(),
        setting_id.encode(),
        wanted,
        [address["channel"] for address in contact["addresses"]],
        [address["address"] for address in contact["addresses"]],
    )
    for alert_id, channel, address in made:
        if alert_id is not None:
            yield {
                **{name: hit[name] for name in ("customer_id", "account_id", "currency", "entry_id")},
                **{name: hit[name] for name in ("booked_at", "written_at", "per_minute")},
                "found_at": hit.get("found_at", hit["written_at"]),
                "alert_id": alert_id,
                "channel": channel,
                "address": address,
                "alert_type": hit["rule"],
                "setting_id": setting_id,
                "language": contact["language"],
                "threshold_minor": _text(hit["threshold_minor"]),
                "amount_minor": _text(hit["amount_minor"]),
                "balance_minor": _text(hit["balance_minor"]),
            }


def _text(minor: int | None) -> str:
    return "" if minor is None else str(minor)
