"""Ends the mails of customers' settings in the bank's table `preferences`."""

from collections.abc import Sequence

from account_alerts.model.alerts import Channel
from web.store.pools import Store

_CHANGED_BY = "customer by a link in a mail"
# A setting that mails alone were asked for is switched off, and so kept; it may be switched on again.
_END = f"""
UPDATE preferences SET
    channels = CASE
        WHEN channels <@ ARRAY['{Channel.EMAIL}'] THEN channels ELSE array_remove(channels, '{Channel.EMAIL}')
    END,
    enabled = enabled AND NOT channels <@ ARRAY['{Channel.EMAIL}']
WHERE customer_id = %(customer)s AND '{Channel.EMAIL}' = ANY (channels)
    AND (enabled OR NOT channels <@ ARRAY['{Channel.EMAIL}'])
    AND (%(settings)s::text[] IS NULL OR setting_id = ANY (%(settings)s))
"""


async def end_mails(bank: Store, customer_id: str, setting_ids: Sequence[str]) -> int:
    """End the mails of a customer's settings, of all where none are named; return how many were changed.

    Committed when this returns. What is not there, or ended already, changes nothing.

    Raises:
        DatabaseError: The bank's database is away.
    """
    values = {"customer": customer_id, "settings": list(setting_ids) or None}
    async with bank.write(_CHANGED_BY) as connection:
        return (await connection.execute(_END.encode(), values)).rowcount
