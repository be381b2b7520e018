"""How one alert looks: its state in words, what is wrong with it, what its fields hold. Pure functions."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from account_alerts.model.alerts import AMOUNT_TYPES, AlertType, Channel
from web.amounts import type_amount
from web.customer.formats import Formats
from web.customer.model import Typed, to_ms
from web.store.settings import Setting

WINDOWS = (10, 30, 60, 180, 1440, 10080)
"""Minutes that a count of payments may be asked for; a setting's own is offered, too."""
SHOWN_CHANNELS = (Channel.PUSH, Channel.EMAIL, Channel.SMS)
FOREVER = 253_000_000_000_000
"""Until the customer turns it on: a pause without an end ends in the year 9987."""


@dataclass(frozen=True)
class State:
    """An icon and words; the kind only chooses the colour that repeats them."""

    kind: str
    icon: str
    words: str


@dataclass(frozen=True)
class Chip:
    """One channel to choose."""

    channel: str
    words: str
    chosen: bool
    unreachable: bool


@dataclass(frozen=True)
class AlertView:
    """One alert as a form."""

    setting: Setting
    is_live: bool
    """Whether all readers of Kafka have it as it stands here."""
    anchor: str
    """Its id on the page."""
    name: str
    state: State | None
    """None: it is new."""
    chips: Sequence[Chip]
    channel_fault: str | None
    amount: str
    count: str
    window: int
    windows: Sequence[tuple[int, str]]
    faults: dict[str, str]
    """By field, of what was typed."""
    dirty: bool
    snoozable: bool
    wakeable: bool

    def fault(self, name: str) -> str:
        """Return what is wrong with a field; empty where nothing is."""
        return self.faults.get(name, "")

    @property
    def is_new(self) -> bool:
        """Whether it is not saved yet."""
        return self.state is None

    @property
    def look(self) -> str | None:
        """Where the page's notice leads to: the id of what needs a look."""
        if self.faults:
            name = {"threshold": "amount"}.get(next(iter(self.faults)), next(iter(self.faults)))
            return f"{self.anchor}-{name if name in ('amount', 'count', 'window') else 'channels'}"
        return f"{self.anchor}-channels" if self.channel_fault else None


def anchor(setting_id: str) -> str:
    """Return an id for a page: setting ids may hold anything."""
    return f"a{hashlib.sha256(setting_id.encode()).hexdigest()[:12]}"


def view(
    setting: Setting,
    formats: Formats,
    usable: Collection[str],
    paused_until: int | None = None,
    typed: Typed | None = None,
    *,
    new: bool = False,
    live: bool = True,
) -> AlertView:
    """Make the view of an alert.

    Args:
        setting: As it is in force, or as it is proposed where it is new.
        formats: The customer's.
        usable: The channels on which something reaches them.
        paused_until: When the pause of everything ends.
        typed: What was typed and not saved; it is kept.
        new: Whether it is not saved yet.
        live: Whether all readers of Kafka have it as it stands here.
    """
    chosen = list(typed.channels) if typed else setting.channels
    fault = None if new else _channel_fault(setting, formats, usable)
    unreachable = frozenset(setting.channels) - frozenset(usable) if setting.enabled and not new else ()
    values = typed.values if typed else {}
    return AlertView(
        setting=setting,
        is_live=live,
        anchor=anchor(setting.setting_id) if not new else "new",
        name=str(formats.texts(_type_key(setting.alert_type))),
        state=None if new else state(setting, formats, usable, paused_until, typed, live=live),
        chips=[
            Chip(
                channel,
                str(formats.texts(f"channel_{channel}")),
                channel in chosen,
                channel in unreachable and channel in chosen,
            )
            for channel in SHOWN_CHANNELS
        ],
        channel_fault=fault,
        amount=values.get("threshold", _amount(setting, formats)),
        count=values.get("count", "" if setting.count is None else str(setting.count)),
        window=_window(values.get("window"), setting),
        windows=[
            (minutes, formats.window(minutes)) for minutes in sorted({*WINDOWS, setting.window_minutes or 60})
        ],
        faults=dict(typed.faults) if typed else {},
        dirty=typed is not None or new,
        snoozable=setting.enabled and not new and not _snoozed(setting, formats),
        wakeable=setting.enabled and not new and _snoozed(setting, formats),
    )


def state(
    setting: Setting,
    formats: Formats,
    usable: Collection[str],
    paused_until: int | None,
    typed: Typed | None = None,
    *,
    live: bool = True,
) -> State:
    """Say what an alert does at this moment; what hinders it most comes first."""
    texts = formats.texts
    reached = [channel for channel in SHOWN_CHANNELS if channel in setting.channels and channel in usable]
    if not live:
        return State("news", "clock", texts("saved"))
    if not setting.enabled:
        return State("rest", "off", texts("is_off"))
    if paused_until is not None and paused_until > formats.now:
        return State("rest", "moon", texts("paused_state"))
    if _snoozed(setting, formats):
        until = to_ms(setting.snoozed_until) or 0
        return State("rest", "moon", texts("snoozed", when=formats.moment(until)))
    if not reached:
        return State("bad", "warn", texts("unreachable"))
    if typed is not None and typed.faults and (words := in_force(setting, formats)):
        return State("good", "check", texts("live_with", what=words))
    if len(reached) < len(setting.channels):
        names = texts.listed([str(texts(f"channel_{channel}")) for channel in reached])
        return State("good", "check", texts("live_by", channels=names))
    return State("good", "check", texts("live"))


def in_force(setting: Setting, formats: Formats) -> str | None:
    """Return the amount or number that an alert goes by, in words; None where it has none."""
    if setting.alert_type in AMOUNT_TYPES and setting.threshold_minor is not None:
        return formats.money(setting.threshold_minor, setting.currency)
    if setting.alert_type == AlertType.TRANSACTION_COUNT and setting.count is not None:
        return formats.number(setting.count)
    return None


def is_forever(until: int) -> bool:
    """Tell whether a pause has no end."""
    return until >= FOREVER


def paused(until: int | None, formats: Formats) -> str | None:
    """Say until when everything is paused; None where it is not."""
    if until is None or until <= formats.now:
        return None
    if is_forever(until):
        return str(formats.texts("paused_open"))
    return str(formats.texts("paused", when=formats.moment(until)))


def _snoozed(setting: Setting, formats: Formats) -> bool:
    return (to_ms(setting.snoozed_until) or 0) > formats.now


def _channel_fault(setting: Setting, formats: Formats, usable: Collection[str]) -> str | None:
    texts = formats.texts
    if not setting.enabled or not setting.channels:
        return str(texts("channels_missing")) if setting.enabled else None

    def listed(channels: list[Channel]) -> str:
        return texts.listed([str(texts(f"channel_{channel}")) for channel in channels])

    asked = [channel for channel in SHOWN_CHANNELS if channel in setting.channels]
    missing = [channel for channel in asked if channel not in usable]
    if not missing:
        return None
    if rest := [channel for channel in asked if channel in usable]:
        return str(texts("no_address_others", channel=listed(missing), others=listed(rest)))
    return str(texts("no_address", channel=listed(missing)))


def _amount(setting: Setting, formats: Formats) -> str:
    if setting.threshold_minor is None:
        return ""
    return type_amount(setting.threshold_minor, setting.currency, formats.texts.tag)


def _window(typed: str | None, setting: Setting) -> int:
    if typed is not None and typed.isascii() and typed.isdigit():
        return int(typed)
    return setting.window_minutes or 60


def _type_key(alert_type: str) -> str:
    return f"type_{alert_type}" if alert_type in set(AlertType) else "type_OTHER"
