"""What the pages show of a customer, gathered from the databases; times are milliseconds UTC."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from web.store.accounts import Account
from web.store.addresses import Address
from web.store.customers import Profile
from web.store.live import Live
from web.store.settings import Setting


@dataclass(frozen=True)
class Overview:
    """All that the page of alerts shows."""

    accounts: Sequence[Account]
    settings: Sequence[Setting]
    addresses: Sequence[Address]
    live: Live
    paused_until: int | None = None

    @cached_property
    def usable(self) -> frozenset[str]:
        """Return the channels on which something reaches the customer."""
        return frozenset(
            each.channel.value
            for each in self.addresses
            if each.confirmed_at is not None and not each.stopped
        )


@dataclass(frozen=True)
class Typed:
    """What was typed into a form that could not be saved, and what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    """By field."""
    channels: Sequence[str] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    """In the customer's language, by field; `form` is about the whole."""


def to_ms(at: datetime | None) -> int | None:
    """Return a time in milliseconds UTC."""
    return None if at is None else round(at.timestamp() * 1000)


def from_ms(ms: int | None) -> datetime | None:
    """Return a time as a database has it."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


@dataclass(frozen=True)
class Reach:
    """All that the page of how to reach a customer shows."""

    profile: Profile
    addresses: Sequence[Address]
    kept: Collection[str] = ()
    """Ids of addresses that may not be removed."""
    devices: Sequence[Mapping[str, Any]] | None = ()
    """None: the device service is away."""
    is_live: bool = True
    """Whether all readers of Kafka have it as it stands here."""


@dataclass(frozen=True)
class Said:
    """What a page says of a form that was sent, by field or by the id of what it is about."""

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    news: Mapping[str, str] = field(default_factory=dict)
