"""The page of how a customer is reached: addresses, devices, quiet hours, pause. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from account_alerts.model.alerts import Channel
from account_alerts.model.errors import InvalidRequestError
from account_alerts.model.time_zones import find_zone
from account_alerts.records.settings import LOCAL_TIMES
from web import texts
from web.customer import alert_view
from web.customer.alert_view import State
from web.customer.formats import Formats
from web.customer.model import Address, Device, Reach

ICONS = {Channel.EMAIL: "mail", Channel.SMS: "sms", Channel.PUSH: "push"}
DIGESTS = ("", "HOURLY", "DAILY")
_COMMON_ZONES = (
    *("Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/London", "Europe/Prague"),
    *("Europe/Vienna", "Europe/Zurich", "America/New_York", "Asia/Tokyo", "UTC"),
)
"""Offered to everyone; any other one can be typed."""


class FieldError(InvalidRequestError):
    """A field that cannot be saved; the message is for the customer, in their language."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True)
class AddressView:
    """One address."""

    address: Address
    anchor: str
    icon: str
    shown: str
    state: State
    is_last: bool
    """Whether it may not be removed, as it is the last confirmed one."""
    fault: str | None = None
    news: str | None = None


@dataclass(frozen=True)
class DeviceView:
    """One device."""

    device: Device
    anchor: str
    icon: str
    words: str
    since: str | None


def build(
    reach: Reach,
    formats: Formats,
    typed: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    news: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return what the template `customer/reach.html` asks for.

    Args:
        reach: What is known of the customer.
        formats: How they read values.
        typed: What was typed and not saved, by field.
        faults: What is wrong with it, in their words; of a code, by the anchor of its address.
        news: What was just done, by the anchor of its address.
    """
    own = texts.names()
    faults, news = faults or {}, news or {}
    addresses = [_address(each, reach.addresses, formats, faults, news) for each in reach.addresses]
    return {
        "reach": reach,
        "addresses": [view for view in addresses if view.address.channel != Channel.PUSH],
        "devices": [_device(each, formats) for each in reach.devices],
        "digests": [(value, *_digest_words(value, formats)) for value in DIGESTS],
        "languages": own,
        "language": formats.texts.code,
        "zones": [
            (name, str(formats.texts("zone_now", zone=name, time=_clock(name, formats))))
            for name in sorted({*_COMMON_ZONES, reach.time_zone})
        ],
        "typed": typed or {},
        "faults": faults,
        "paused": alert_view.paused(reach.paused_until, formats),
        "live": State("good", "check", formats.texts("live"))
        if reach.live
        else State("news", "clock", formats.texts("saved")),
    }


def read_quiet_hours(switched_on: bool, begin: str, end: str, formats: Formats) -> tuple[str, str] | None:
    """Return the quiet hours that a form asks for; None where it asks for none.

    Raises:
        FieldError: A time is missing, or none.
    """
    if not switched_on:
        return None
    if begin not in LOCAL_TIMES or end not in LOCAL_TIMES or begin == end:
        raise FieldError("quiet", str(formats.texts("quiet_unclear")))
    return begin, end


def read_digest(value: str) -> str | None:
    """Return the digest that a form asks for.

    Raises:
        InvalidRequestError: It is none that the form offers.
    """
    if value not in DIGESTS:
        raise InvalidRequestError("no such digest")
    return value or None


def read_language(language: str, zone: str, current: str) -> tuple[str, str]:
    """Return the language and the time zone that a form asks for.

    Who keeps their language keeps its region, too: `nl-BE` says how amounts are written.

    Raises:
        InvalidRequestError: The form offers no such language or zone.
    """
    if language not in texts.names():
        raise InvalidRequestError("no such language")
    try:
        find_zone(zone)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from None
    return (current if texts.choose(current).code == language else language), zone


def _address(
    address: Address,
    all_of_them: Sequence[Address],
    formats: Formats,
    faults: dict[str, str],
    news: dict[str, str],
) -> AddressView:
    anchor = address_anchor(address)
    confirmed = [each for each in all_of_them if each.confirmed and each.channel != Channel.PUSH]
    if not address.confirmed:
        state = State("news", "clock", formats.texts("address_waits"))
    elif address.stopped:
        state = State("warn", "stop", formats.texts("address_stopped"))
    else:
        state = State("good", "check", formats.texts("address_confirmed"))
    return AddressView(
        address,
        anchor,
        ICONS[Channel(address.channel)],
        address.address,
        state,
        is_last=confirmed == [address],
        fault=faults.get(anchor),
        news=news.get(anchor),
    )


def address_anchor(address: Address) -> str:
    """Return the id of an address on the page."""
    return f"d{alert_view.anchor(f'{address.channel} {address.address}')}"


def _device(device: Device, formats: Formats) -> DeviceView:
    is_browser = device.platform == "WEB_PUSH"
    return DeviceView(
        device,
        f"v{alert_view.anchor(device.device_id)}",
        "laptop" if is_browser else "push",
        device.name or str(formats.texts("device_browser" if is_browser else "device_phone")),
        str(formats.texts("device_since", when=formats.soon(device.since))) if device.since else None,
    )


def _digest_words(value: str, formats: Formats) -> tuple[str, str]:
    if not value:
        return str(formats.texts("digest_each")), str(formats.texts("digest_each_hint"))
    return str(formats.texts(f"digest_{value}")), str(formats.texts("digest_hint"))


def _clock(zone: str, formats: Formats) -> str:
    return Formats(formats.texts, zone, formats.now).clock(formats.now)
