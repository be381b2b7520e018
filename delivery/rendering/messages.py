"""Builds the message of an alert, or of the alerts of a digest."""

from collections.abc import Callable, Sequence

from account_alerts.config.gateways import Disclosure
from account_alerts.model.analyst_rule_keys import is_of_a_rule
from account_alerts.model.ids import stable_id
from account_alerts.records.codec import Record
from delivery.alert import Delivery
from delivery.gateways.base import Message
from delivery.policy import time_zone
from delivery.reasons import list_reasons
from delivery.rendering.render import render, render_digest

UnsubscribeLink = Callable[[str, Sequence[str]], str]
"""From a customer's id and their settings' (empty: all of them) to the address that ends such mails."""


def build_message(
    deliveries: Sequence[Delivery],
    channel: str,
    unsubscribe: UnsubscribeLink | None = None,
    disclosure: Disclosure = "full",
) -> Message:
    """Build the message of an alert, or of the alerts of a digest; its key is the same at every attempt."""
    first = deliveries[0]
    alert: Record = first.alert
    customer, language = alert["customer_id"], alert["language"]
    zone = time_zone(first.recipient.time_zone).key
    if first.digest_id is None:
        # An analysts' rule is no setting that the customer could take back.
        ids = [reason["setting_id"] for reason in list_reasons(alert)]
        own = [each for each in dict.fromkeys(ids) if not is_of_a_rule(each)]
        link = unsubscribe(customer, own) if unsubscribe and own else None
        return render(
            alert,
            language=language,
            time_zone=zone,
            channel=channel,
            unsubscribe=link,
            disclosure=disclosure,
        )
    return render_digest(
        [delivery.alert for delivery in deliveries],
        key=digest_key(first),
        language=language,
        time_zone=zone,
        channel=channel,
        unsubscribe=unsubscribe(customer, ()) if unsubscribe else None,
        disclosure=disclosure,
    )


def digest_key(delivery: Delivery) -> str:
    """Return the id of a digest: of one claim, for one customer at one address."""
    parts = (delivery.digest_id or "", delivery.alert["customer_id"], delivery.alert["address"])
    return stable_id(*(part.encode() for part in parts))
