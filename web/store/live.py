"""Whether what a customer saved has come through Kafka: the senders' profiles are made of the same topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from account_alerts.postgres import DatabaseError
from delivery.profiles.records import profile_row
from web.store.pools import Connection, Store

_PUBLISHED = "SELECT record FROM published.alert_settings WHERE customer_id = %s"
_PROFILE = """
SELECT language, time_zone, quiet_from, quiet_to, digest, addresses, settings
FROM profiles WHERE customer_id = %s
"""


@dataclass(frozen=True)
class Live:
    """What the readers of Kafka have of a customer, beside what the bank's database has."""

    wanted: Mapping[str, Any] | None
    """The profile that the published record makes; None: the customer left."""
    found: Mapping[str, Any] | None
    """The profile as it is; None: there is none, or the ledger is away."""

    def has(self, setting_id: str) -> bool:
        """Tell whether a setting is in force as it was saved, or gone as it was switched off."""
        if self.wanted is None or self.found is None:
            return False
        wanted, found = (each["settings"].get(setting_id) for each in (self.wanted, self.found))
        # A profile that an earlier version wrote has less of each setting.
        if found is None or wanted is None:
            return found is wanted
        return all(wanted.get(name) == value for name, value in found.items())

    def has_the_rest(self) -> bool:
        """Tell whether addresses, quiet hours, digest, language and time zone are in force as saved."""
        if self.wanted is None or self.found is None:
            return False
        return all(self.found[name] == self.wanted[name] for name in self.found if name != "settings")


async def read_live(bank: Connection, ledger: Store, customer_id: str) -> Live:
    """Compare what is saved with what has come through Kafka; nothing is live while the ledger is away."""
    published = await (await bank.execute(_PUBLISHED, (customer_id,))).fetchone()
    record = published and published["record"]
    try:
        async with ledger.read() as connection:
            found = await (await connection.execute(_PROFILE, (customer_id,))).fetchone()
    except DatabaseError:
        found = None
    return Live(profile_row(record) if record else None, found)
