"""What has been seen of each booking on its way: on the queue, on Kafka, at the customer's gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from time import time_ns

from account_alerts.model.alerts import Channel
from account_alerts.records.codec import Record
from devenv.fake_gateways.received import Item

AlertKey = tuple[str, str, str, str]
"""What an alert is about: booking, customer, setting, channel."""
_ENOUGH = 10
"""Alerts by which the chain is found to be warm, at least."""


@dataclass(frozen=True)
class Raised:
    """An alert on its channel's topic, or on the devices'; the time is Kafka's, in milliseconds UTC."""

    key: AlertKey
    written_at: int
    alert: Record


@dataclass
class Watch:
    """What must come and what has come; times in milliseconds UTC."""

    wanted: set[AlertKey]
    devices: Mapping[str, int]
    """How many devices a customer has."""
    started: int = field(default_factory=lambda: time_ns() // 1_000_000)
    put: dict[str, int] = field(default_factory=dict)
    """When each booking was given to the queue."""
    booked: dict[str, int] = field(default_factory=dict)
    """When Kafka had it."""
    steady: set[str] = field(default_factory=set)
    """The bookings that were put after the warm-up."""
    warm: bool = False
    """Whether the warm-up ended as the chain was warm, and not as it had been long enough."""
    raised: dict[AlertKey, Raised] = field(default_factory=dict)
    for_devices: dict[str, Raised] = field(default_factory=dict)
    """Pushes for a device by the ids of their alerts."""
    messages: dict[str, dict[str, Item]] = field(default_factory=dict)
    """What gateways have, by channel and the id of the alert."""
    repeats: int = 0
    """Alerts that came more than once on a topic: allowed, the senders remove them."""
    duplicates: int = 0
    """Messages that a customer got more than once: never allowed."""
    settings_seconds: float = 0.0
    """From the commit of the customers' preferences to the last of them on Kafka."""

    def is_warm(self, window: int, limit: int) -> bool:
        """Tell whether the alerts of the last bookings came in time.

        Args:
            window: The bookings of so many milliseconds until now.
            limit: Milliseconds from the queue to an alert's topic, for a device also, that all may take.
        """
        now = time_ns() // 1_000_000
        # The latest have until now to come.
        late = {entry for entry, at in list(self.put.items()) if now - window <= at <= now - limit}
        wanted = [key for key in list(self.wanted) if key[0] in late]
        pushes = [each for each in list(self.for_devices.values()) if each.key[0] in late]
        found = [*filter(None, map(self.raised.get, wanted)), *pushes]
        in_time = all(each.written_at - self.put[each.key[0]] <= limit for each in found)
        return len(found) >= len(wanted) + self._pushes(wanted) >= _ENOUGH and in_time

    def note_booking(self, entry: Record, written_at: int) -> None:
        """Take down a record of `account-entries`."""
        self.booked.setdefault(_reference(entry["entry_id"]), written_at)

    def note_alert(self, alert: Record, written_at: int) -> bool:
        """Take down an alert on its channel's topic; False where it is a repeat."""
        key = alert_key(alert)
        if key in self.raised:
            self.repeats += 1
            return False
        self.raised[key] = Raised(key, written_at, alert)
        return True

    def note_push(self, alert: Record, written_at: int) -> None:
        """Take down a push for a device."""
        if alert["alert_id"] in self.for_devices:
            self.repeats += 1
        else:
            self.for_devices[alert["alert_id"]] = Raised(alert_key(alert), written_at, alert)

    def note_messages(self, channel: str, items: Iterable[Item]) -> None:
        """Take down all that a channel's gateway has; replaces what it had before."""
        found: dict[str, Item] = {}
        duplicates = 0
        for item in items:
            duplicates += item.key in found
            found.setdefault(item.key, item)
        self.messages[channel] = found
        self.duplicates = max(self.duplicates, duplicates)

    def messages_wanted(self, channel: str) -> int:
        """How many messages must come at a channel's gateway; a push to each device."""
        keys = [key for key in self.wanted if key[3] == channel]
        return self._pushes(keys) if channel == Channel.PUSH else len(keys)

    def _pushes(self, keys: Iterable[AlertKey]) -> int:
        """How many pushes for devices alerts become."""
        return sum(self.devices.get(key[1], 0) for key in keys if key[3] == Channel.PUSH)

    def alerts_complete(self) -> bool:
        """Tell whether all alerts that must come are on their topics."""
        pushes = self.messages_wanted(Channel.PUSH)
        return self.wanted <= self.raised.keys() and len(self.for_devices) >= pushes

    def delivered(self, channel: str) -> list[tuple[Raised, Item]]:
        """Return the messages of a channel beside their alerts."""
        alerts = (
            self.for_devices
            if channel == Channel.PUSH
            else {each.alert["alert_id"]: each for each in self.raised.values() if each.key[3] == channel}
        )
        came = self.messages.get(channel, {})
        return [(alerts[alert_id], item) for alert_id, item in came.items() if alert_id in alerts]

    def complete(self) -> bool:
        """Tell whether all came, at the customers' gateways too, nothing else and nothing twice."""
        return (
            self.wanted == self.raised.keys()
            and self.put.keys() <= self.booked.keys()
            and not self.duplicates
            and all(
                len(self.delivered(channel)) == self.messages_wanted(channel) == len(self.messages[channel])
                for channel in Channel
            )
        )


def alert_key(alert: Record) -> AlertKey:
    """Return what an alert is about."""
    return _reference(alert["entry_id"]), alert["customer_id"], alert["setting_id"], alert["channel"]


def _reference(entry_id: str) -> str:
    """Return the bank's reference, which the bridge puts in front of the ids it makes."""
    return entry_id.partition("/")[0]
