"""The page of how a customer is reached: addresses, devices, quiet hours, pause. Pure functions."""

from collections.abc import Mapping, Sequence
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
from web.customer.model import Reach, Said, to_ms
from web.store.addresses import Address

ICONS = {Channel.EMAIL: "mail", Channel.SMS: "sms", Channel.PUSH: "push"}
DIGESTS = ("", "HOURLY", "DAILY")
_COMMON_ZONES = (
    *("Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/London", "Europe/Prague"),
    *("Europe/Vienna", "Europe/Zurich", "America/New_York", "Asia/Tokyo", "UTC"),
)
"""Offered to everyone, beside the customer's own."""


@dataclass(frozen=True)
class AddressView:
    """One address."""

    address: Address
    anchor: str
    icon: str
    state: State
    waits: bool
    """For its code."""
    is_last: bool
    """Whether it may not be removed: a message that protects the customer goes nowhere else."""
    fault: str
    news: str


@dataclass(frozen=True)
class DeviceView:
    """One device."""

    device_id: str
    anchor: str
    icon: str
    words: str
    since: str | None


def build(reach: Reach, formats: Formats, said: Said) -> dict[str, Any]:
    """Return what the template `customer/reach.html` asks for.

    Args:
        reach: What is known of the customer.
        formats: How they read values.
        said: What was typed and not saved, what is wrong with it, and what was just done.
    """
    profile = reach.profile
    pushes = any(each.channel is Channel.PUSH for each in reach.addresses)
    live = State("good", "check", formats.texts("live"))
    return {
        "profile": profile,
        "addresses": [
            _address(each, reach, formats, said)
            for each in reach.addresses
            if each.channel is not Channel.PUSH
        ],
        "devices": None if reach.devices is None else [_device(each, formats) for each in reach.devices],
        "can_start_push": bool(reach.devices) and not pushes,
        "digests": [(value, *_digest_words(value, formats)) for value in DIGESTS],
        "languages": texts.names(),
        "language": formats.texts.code,
        "zones": [
            (name, formats.texts("zone_now", zone=name, time=_clock(name, formats)))
            for name in sorted({*_COMMON_ZONES, profile.time_zone})
        ],
        "said": said,
        "paused": alert_view.paused(to_ms(profile.paused_until), formats),
        "live": live if reach.is_live else State("news", "clock", formats.texts("saved")),
    }


def read_quiet_hours(switched_on: bool, begin: str, end: str) -> tuple[str, str] | None:
    """Return the quiet hours that a form asks for; None where it asks for none.

    Raises:
        InvalidRequestError: A time is missing, or none.
    """
    if not switched_on:
        return None
    if begin not in LOCAL_TIMES or end not in LOCAL_TIMES or begin == end:
        raise InvalidRequestError("these are no two times")
    return begin, end


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


def address_anchor(address_id: str) -> str:
    """Return the id of an address on the page."""
    return f"d{address_id}"


def _address(address: Address, reach: Reach, formats: Formats, said: Said) -> AddressView:
    waits = address.confirmed_at is None
    if waits:
        state = State("news", "clock", formats.texts("address_waits"))
    elif address.stopped:
        state = State("warn", "stop", formats.texts("address_stopped"))
    else:
        state = State("good", "check", formats.texts("address_confirmed"))
    return AddressView(
        address,
        address_anchor(address.address_id),
        ICONS[address.channel],
        state,
        waits,
        address.address_id in reach.kept,
        said.faults.get(address.address_id, ""),
        said.news.get(address.address_id, ""),
    )


def _device(device: Mapping[str, Any], formats: Formats) -> DeviceView:
    is_browser = device["kind"] == "WEB_PUSH"
    since = device.get("registered_at")
    words = formats.texts("device_browser" if is_browser else "device_phone")
    return DeviceView(
        str(device["device"]),
        f"v{alert_view.anchor(str(device['device']))}",
        "laptop" if is_browser else "push",
        words,
        None if since is None else formats.texts("device_since", when=formats.soon(since)),
    )


def _digest_words(value: str, formats: Formats) -> Sequence[str]:
    if not value:
        return formats.texts("digest_each"), formats.texts("digest_each_hint")
    return formats.texts(f"digest_{value}"), formats.texts("digest_hint")


def _clock(zone: str, formats: Formats) -> str:
    return Formats(formats.texts, zone, formats.now).clock(formats.now)
