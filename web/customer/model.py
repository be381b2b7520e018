"""What the pages show of a customer; times are milliseconds UTC, amounts minor units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Account:
    """An account that the customer may see."""

    account_id: str
    name: str | None = None
    """The customer's own."""
    balance_minor: int | None = None
    """After the newest booking; None where there is none, or the bank does not say."""
    currency: str | None = None
    """The newest booking's."""


@dataclass(frozen=True)
class Setting:
    """One alert that the customer asked for."""

    setting_id: str
    account_id: str
    currency: str
    alert_type: str
    channels: Sequence[str]
    threshold_minor: int | None = None
    count: int | None = None
    window_minutes: int | None = None
    snoozed_until: int | None = None
    enabled: bool = True
    version: str = ""
    """Of the row; a change names the one that it was made of."""
    live: bool = True
    """Whether all readers of Kafka have it as it stands here."""


@dataclass(frozen=True)
class Address:
    """Where messages go, or will once it is confirmed."""

    channel: str
    address: str
    confirmed: bool = True
    stopped: bool = False
    """A number that answered STOP."""


@dataclass(frozen=True)
class Overview:
    """All that the page of alerts shows."""

    accounts: Sequence[Account]
    settings: Sequence[Setting]
    addresses: Sequence[Address]
    paused_until: int | None = None

    def usable(self) -> frozenset[str]:
        """Return the channels on which something reaches the customer."""
        return frozenset(each.channel for each in self.addresses if each.confirmed and not each.stopped)


@dataclass(frozen=True)
class Typed:
    """What was typed into a form that could not be saved, and what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    """By field."""
    channels: Sequence[str] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    """In the customer's language, by field; `form` is about the whole."""


@dataclass(frozen=True)
class Device:
    """A phone or browser that gets push messages."""

    device_id: str
    platform: str
    name: str | None = None
    since: int | None = None


@dataclass(frozen=True)
class Reach:
    """All that the page of how to reach a customer shows."""

    addresses: Sequence[Address]
    devices: Sequence[Device] = ()
    quiet_from: str | None = None
    quiet_to: str | None = None
    digest: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    paused_until: int | None = None
    live: bool = True
    """Whether all readers of Kafka have it as it stands here."""
