"""From an application that is due to the customer's reminders: a pure function."""

import json
from collections.abc import Iterator

from account_alerts.records.settings import check_settings
from udfs.alerts import make_setting_alerts

Reminder = tuple[str, str, str, str, str, str]
"""(alert_id, channel, address, setting_id, account_id, currency)"""


def make_reminders(
    application_id: bytes,
    customer_id: bytes,
    addresses: str | None,
    settings: str | None,
) -> Iterator[Reminder]:
    """Make the messages of an application, one for each address on a channel that the customer agreed to.

    Where several settings agree to the same address, the first by its id does. A setting without an id or
    with an unknown channel counts for nothing, as any invalid one.

    Args:
        application_id: Ids are UTF-8, as of `udfs.alerts`.
        customer_id: Whose application it is.
        addresses: Those of the customer's record, as JSON; None: there is no record.
        settings: Likewise.
    """
    if addresses is None or settings is None:
        return
    known = json.loads(addresses)
    agreed = check_settings(json.loads(settings)).reminders
    sent: set[tuple[str, str]] = set()
    for setting in sorted(agreed, key=lambda setting: str(setting["setting_id"])):
        made = make_setting_alerts(
            application_id,
            customer_id,
            setting["setting_id"].encode(),
            setting["channels"],
            [each["channel"] for each in known],
            [each["address"] for each in known],
        )
        for alert_id, channel, address in made:
            if alert_id is not None and address is not None and (channel, address) not in sent:
                sent.add((channel, address))
                yield (
                    *(alert_id, channel, address),
                    *(setting["setting_id"], setting["account_id"], setting["currency"]),
                )
