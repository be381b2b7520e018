"""From a match of an analyst's rule to the alerts of one customer: pure functions."""

import json
from collections.abc import Iterator

from account_alerts.model.alerts import Channel
from udfs import alerts


def make_alerts(
    entry_id: bytes,
    customer_id: bytes,
    setting_id: bytes,
    channels: str,
    addresses: str | None,
) -> Iterator[alerts.AddressedAlert]:
    """Make one alert for each address on a channel that the rule wants.

    Args:
        entry_id: Ids are UTF-8, as of `udfs.alerts`.
        customer_id: Whom it is for.
        setting_id: What stands for the rule in its alerts.
        channels: Those that the rule wants, with commas between them; empty: any.
        addresses: Those of the customer's record, as JSON; None: there is no record.

    Yields:
        (alert_id, channel, address); one without an id and an address where the customer cannot be reached.
    """
    known = json.loads(addresses or "[]")
    wanted = channels.split(",") if channels else [channel.value for channel in Channel]
    made = alerts.make_setting_alerts(
        entry_id,
        customer_id,
        setting_id,
        wanted,
        [each["channel"] for each in known],
        [each["address"] for each in known],
    )
    reached = [alert for alert in made if alert[2] is not None]
    yield from reached or [(None, wanted[0], None)]
