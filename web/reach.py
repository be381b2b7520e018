"""What happens when a customer changes how they are reached, on a page or by the API.

Each function is one transaction of the bank's database, with the notices that tell of it.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from account_alerts.model.alerts import Channel
from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.errors import InvalidRequestError
from account_alerts.model.masking import masked
from delivery.gateways.email.mail import is_address
from delivery.gateways.sms.phone import international
from web import texts
from web.auth.dependencies import Customer
from web.parts import Parts
from web.store import addresses, notices, settings
from web.store.addresses import Address, Check, CodeCheck
from web.store.notices import Kind, Notice
from web.store.pools import Connection

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_MOST_CODES = 5
"""An hour, for a customer and for an address: SMS cost money, and nobody's phone is to be flooded."""
_MOST_TESTS = 5
_MOST_TOLD = 5
"""Addresses that are told of a change."""


class InvalidAddressError(InvalidRequestError):
    """What was typed is no address of the channel."""


class TooOftenError(InvalidRequestError):
    """So many codes, or tests, were sent lately."""


class StoppedNumberError(InvalidRequestError):
    """The number has sent STOP: no SMS goes there, not even a code."""


class NothingToSendError(InvalidRequestError):
    """The setting has no address that something could go to."""


@dataclass(frozen=True)
class Added:
    """An address that was asked for."""

    address: Address
    is_new: bool
    """False: it was there already; then nothing was sent."""


def parse_address(channel: Channel, typed: str, customer_id: str) -> str:
    """Return an address as it is kept: a phone number as `+` and digits; for push the customer's id.

    Raises:
        InvalidAddressError: It is none of the channel.
    """
    if channel is Channel.PUSH:
        return customer_id
    text = typed.strip()
    if channel is Channel.SMS:
        number = international(text)
        if number is None:
            raise InvalidAddressError("no phone number with its country, such as +31 6 12345678")
        return f"+{number}"
    if not is_address(text):
        raise InvalidAddressError("no mail address, such as name@example.com")
    return text


async def add_address(parts: Parts, customer: Customer, channel: Channel, typed: str) -> Added:
    """Add an address and send its code there.

    Raises:
        InvalidAddressError: It is no address.
        StoppedNumberError: The number has sent STOP.
        TooOftenError: So many codes were sent lately.
        TooManyAddressesError: The customer has as many as one may have.
        DatabaseError: The bank's database is away; nothing was changed.
    """
    async with parts.bank.write(customer.changed_by) as connection:
        return await add_address_in(connection, parts, customer, channel, typed)


async def add_address_in(
    connection: Connection, parts: Parts, customer: Customer, channel: Channel, typed: str
) -> Added:
    """Add an address as `add_address` does, within a transaction."""
    text = parse_address(channel, typed, customer.customer_id)
    address, is_new = await addresses.add(connection, customer.customer_id, channel, text)
    if is_new and address.confirmed_at is None:
        await _send_code(connection, parts, customer, address)
    return Added(address, is_new)


async def send_new_code(parts: Parts, customer: Customer, address_id: str) -> Address:
    """Send another code; the one before counts no more.

    Raises:
        NotFoundError: The customer has no such address.
        InvalidRequestError: It is confirmed already.
        TooOftenError: So many codes were sent lately.
        StoppedNumberError: The number has sent STOP.
        DatabaseError: The bank's database is away; nothing was changed.
    """
    async with parts.bank.write(customer.changed_by) as connection:
        await addresses.lock(connection, customer.customer_id)
        address = await addresses.find(connection, customer.customer_id, address_id)
        if address.confirmed_at is not None:
            raise InvalidRequestError("the address is confirmed already")
        await _send_code(connection, parts, customer, address)
    return address


async def confirm_address(parts: Parts, customer: Customer, address_id: str, code: str) -> CodeCheck:
    """Confirm an address by its code, and tell the customer at the addresses they had before.

    Raises:
        NotFoundError: The customer has no such address.
        DatabaseError: The bank's database is away; nothing was changed.
    """
    async with parts.bank.write(customer.changed_by) as connection:
        await addresses.lock(connection, customer.customer_id)
        known = await addresses.list_addresses(connection, customer.customer_id)
        address = await addresses.find(connection, customer.customer_id, address_id)
        check = await addresses.confirm(connection, customer.customer_id, address, code, _secret(parts))
        if check.result is Check.CONFIRMED and address.confirmed_at is None:
            before = [each for each in known if each.confirmed_at is not None and not each.stopped]
            await _tell(connection, parts, customer, Kind.ADDRESS_ADDED, before, address)
    return check


async def start_sms(parts: Parts, customer: Customer, address_id: str) -> Address:
    """Let SMS go to a confirmed number again that has sent STOP.

    Raises:
        NotFoundError: The customer has no such address.
        InvalidRequestError: It is no confirmed number: nobody has shown that it is theirs.
        DatabaseError: The bank's database is away; nothing was changed.
    """
    async with parts.bank.write(customer.changed_by) as connection:
        await addresses.lock(connection, customer.customer_id)
        address = await addresses.find(connection, customer.customer_id, address_id)
        if address.channel is not Channel.SMS or address.confirmed_at is None:
            raise InvalidRequestError("only a confirmed number gets SMS again; or send START from it")
        await addresses.start_sms(connection, address)
        return await addresses.find(connection, customer.customer_id, address_id)


async def remove_address(parts: Parts, customer: Customer, address_id: str) -> Address:
    """Remove an address, and tell the customer there.

    Raises:
        NotFoundError: The customer has no such address.
        LastAddressError: A mandatory alert of theirs has no other confirmed address.
        DatabaseError: The bank's database is away; nothing was changed.
    """
    senders = parts.config.senders
    mandatory = senders.mandatory if senders is not None else ()
    async with parts.bank.write(customer.changed_by) as connection:
        await addresses.lock(connection, customer.customer_id)
        address = await addresses.find(connection, customer.customer_id, address_id)
        await addresses.remove(connection, customer.customer_id, address, mandatory)
        if address.confirmed_at is not None and not address.stopped:
            await _tell(connection, parts, customer, Kind.ADDRESS_REMOVED, [address], address)
    return address


async def send_test(parts: Parts, customer: Customer, setting_id: str) -> Sequence[int]:
    """Send a test to every address that a setting's alerts would go to; return the notices' ids.

    Raises:
        NotFoundError: The customer has no such setting.
        NothingToSendError: There is no address.
        TooOftenError: So many tests were sent lately.
        UnreachableError: The bank's database or the device service is away.
    """
    async with parts.bank.read() as connection:
        setting = await settings.find(connection, customer.customer_id, setting_id)
        known = await addresses.list_addresses(connection, customer.customer_id)
    usable = [
        each
        for each in known
        if each.channel in setting.channels and each.confirmed_at is not None and not each.stopped
    ]
    targets: list[tuple[Channel, str]] = [
        (each.channel, each.address) for each in usable if each.channel is not Channel.PUSH
    ]
    if any(each.channel is Channel.PUSH for each in usable):
        for device in await parts.devices.list_devices(customer.customer_id):
            push = DeviceAddress(str(device["device"]), str(device["kind"]), device["to"])
            targets.append((Channel.PUSH, push.dump()))
    if not targets:
        raise NothingToSendError("no confirmed address or device that its alerts would go to")
    async with parts.bank.write(customer.changed_by) as connection:
        await addresses.lock(connection, customer.customer_id)
        for channel, to in targets:
            await _check_rate(connection, customer, Kind.TEST, channel, to, _MOST_TESTS * len(targets))
        return [
            await notices.add(
                connection,
                customer.customer_id,
                _notice(parts, customer, Kind.TEST, channel, to, lives=5 * _MINUTE),
            )
            for channel, to in targets
        ]


async def _send_code(connection: Connection, parts: Parts, customer: Customer, address: Address) -> None:
    if address.stopped:
        raise StoppedNumberError("this number has sent STOP; send START from it first")
    await _check_rate(connection, customer, Kind.CODE, address.channel, address.address, _MOST_CODES)
    code = await addresses.make_code(connection, customer.customer_id, address, _secret(parts))
    minutes = addresses.CODE_MINUTES
    notice = _notice(
        parts,
        customer,
        Kind.CODE,
        address.channel,
        address.address,
        lives=minutes * _MINUTE,
        code=code,
        minutes=minutes,
    )
    await notices.add(connection, customer.customer_id, notice)


async def _check_rate(
    connection: Connection, customer: Customer, kind: Kind, channel: Channel, address: str, most: int
) -> None:
    sent = await notices.count_recent(connection, customer.customer_id, kind, channel, address, _HOUR)
    if sent >= most:
        raise TooOftenError("too many were sent within an hour; try again later")


async def _tell(
    connection: Connection,
    parts: Parts,
    customer: Customer,
    kind: Kind,
    where: Sequence[Address],
    about: Address,
) -> None:
    """Tell of a change at addresses: those of mail and phone."""
    shown = _shown(about)
    for each in [each for each in where if each.channel is not Channel.PUSH][:_MOST_TOLD]:
        notice = _notice(parts, customer, kind, each.channel, each.address, lives=_DAY, address=shown)
        await notices.add(connection, customer.customer_id, notice)


_TEXTS = {
    Kind.CODE: "notice_code",
    Kind.TEST: "notice_test",
    Kind.ADDRESS_ADDED: "notice_added",
    Kind.ADDRESS_REMOVED: "notice_removed",
}


def _notice(
    parts: Parts,
    customer: Customer,
    kind: Kind,
    channel: Channel,
    to: str,
    *,
    lives: int,
    **values: object,
) -> Notice:
    language = customer.profile.language
    own = texts.choose(language)
    bank = parts.config.require("web").brand.name
    # Plain text: what is escaped for pages is not for mails and phones.
    title, body = (
        own(f"{_TEXTS[kind]}_{part}", number=None, bank=bank, **values).unescape()
        for part in ("title", "text")
    )
    return Notice(kind, channel, to, language, title, body, lives)


def _shown(address: Address) -> str:
    """Return an address so that its owner knows it, and nobody else can use it."""
    name, at, domain = address.address.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else masked(address.address)


def _secret(parts: Parts) -> bytes:
    secret = parts.config.require("web").session_secret
    assert secret is not None  # Checked at the start (`Cookies`).
    return hmac.new(secret.get_secret_value().encode(), b"address codes", sha256).digest()
