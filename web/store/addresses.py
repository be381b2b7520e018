"""Where customers are reached: the bank's table `addresses`, and the codes that confirm them."""

import hmac
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from account_alerts.model.alerts import Channel
from account_alerts.model.errors import InvalidRequestError, NotFoundError
from account_alerts.model.ids import stable_id
from account_alerts.model.limits import ADDRESSES_PER_CUSTOMER
from web.store.pools import Connection, Row

CODE_MINUTES = 15
"""How long a code is good."""
CODE_ATTEMPTS = 5
"""Wrong codes, after which a new one is needed."""
_CODE_DIGITS = 6

_LIST = """
SELECT addresses.channel, address, confirmed_at, coalesce(stopped, false) AS stopped
FROM addresses
LEFT JOIN sms_opt_outs ON addresses.channel = 'SMS' AND number = regexp_replace(address, '[^0-9]', '', 'g')
WHERE customer_id = %(customer)s ORDER BY addresses.channel, address
"""
_ADD = """
INSERT INTO addresses (customer_id, channel, address, confirmed_at)
VALUES (%(customer)s, %(channel)s, %(address)s, CASE WHEN %(confirmed)s THEN now() END)
ON CONFLICT DO NOTHING
"""
_PUT_CODE = """
INSERT INTO address_codes (customer_id, channel, address, code_hash, expires_at)
VALUES (
    %(customer)s, %(channel)s, %(address)s, %(hash)s, now() + %(minutes)s * interval '1 minute'
)
ON CONFLICT (customer_id, channel, address) DO UPDATE SET
    code_hash = excluded.code_hash, expires_at = excluded.expires_at, attempts = 0
"""
_TAKE_CODE = """
SELECT code_hash, attempts, expires_at > now() AS is_good FROM address_codes
WHERE customer_id = %(customer)s AND channel = %(channel)s AND address = %(address)s FOR UPDATE
"""
_COUNT_ATTEMPT = """
UPDATE address_codes SET attempts = attempts + 1
WHERE customer_id = %(customer)s AND channel = %(channel)s AND address = %(address)s
"""
_START_SMS = """
UPDATE sms_opt_outs SET stopped = false, source = 'APP'
WHERE stopped AND number = regexp_replace(%(address)s, '[^0-9]', '', 'g')
"""
_CONFIRM = """
UPDATE addresses SET confirmed_at = now()
WHERE customer_id = %(customer)s AND channel = %(channel)s AND address = %(address)s AND confirmed_at IS NULL
"""
_FORGET_CODE = """
DELETE FROM address_codes
WHERE customer_id = %(customer)s AND channel = %(channel)s AND address = %(address)s
"""
_REMOVE = """
DELETE FROM addresses
WHERE customer_id = %(customer)s AND channel = %(channel)s AND address = %(address)s
"""
# Settings of these types that have the channel, and no other one with a confirmed address.
_NEEDS = """
SELECT FROM preferences
WHERE customer_id = %(customer)s AND enabled AND alert_type = ANY (%(types)s) AND %(channel)s = ANY (channels)
    AND NOT EXISTS (
        SELECT FROM addresses AS other
        WHERE other.customer_id = preferences.customer_id AND other.confirmed_at IS NOT NULL
            AND other.channel = ANY (preferences.channels)
            AND (other.channel, other.address) <> (%(channel)s, %(address)s)
    )
LIMIT 1
"""


class TooManyAddressesError(InvalidRequestError):
    """The customer has as many addresses as one may have."""


class LastAddressError(InvalidRequestError):
    """The last confirmed address of an alert that the customer must get."""


class Check(StrEnum):
    """What a code turned out to be."""

    CONFIRMED = "CONFIRMED"
    WRONG = "WRONG"
    OVER = "OVER"
    """Too old, tried too often, or there is none: a new one is needed."""


@dataclass(frozen=True)
class Address:
    """Where messages go, or will once it is confirmed."""

    channel: Channel
    address: str
    confirmed_at: datetime | None
    stopped: bool = False
    """A number that answered STOP."""

    @property
    def address_id(self) -> str:
        """What it is called where an address may not stand, such as in a URL."""
        return stable_id(self.channel.encode(), self.address.encode())


@dataclass(frozen=True)
class CodeCheck:
    """The answer to a code."""

    result: Check
    attempts_left: int = 0


async def list_addresses(connection: Connection, customer_id: str) -> Sequence[Address]:
    """Return a customer's addresses, in the order of channels."""
    cursor = await connection.execute(_LIST, {"customer": customer_id})
    return [_address(row) for row in await cursor.fetchall()]


async def find(connection: Connection, customer_id: str, address_id: str) -> Address:
    """Return an address.

    Raises:
        NotFoundError: The customer has none of this id.
    """
    for address in await list_addresses(connection, customer_id):
        if hmac.compare_digest(address.address_id.encode(), address_id.encode()):
            return address
    raise NotFoundError("no such address")


async def lock(connection: Connection, customer_id: str) -> None:
    """Let changes of one customer's addresses come one after the other."""
    await connection.execute("SELECT FROM customers WHERE customer_id = %s FOR UPDATE", (customer_id,))


async def add(
    connection: Connection, customer_id: str, channel: Channel, address: str
) -> tuple[Address, bool]:
    """Add an address, not confirmed yet; push needs no confirmation, as its devices are the customer's.

    Returns:
        The address, and whether it is new.

    Raises:
        TooManyAddressesError: There would be more than one may have.
    """
    await lock(connection, customer_id)
    known = await list_addresses(connection, customer_id)
    for each in known:
        if (each.channel, each.address) == (channel, address):
            return each, False
    if len(known) >= ADDRESSES_PER_CUSTOMER:
        raise TooManyAddressesError(f"there are {ADDRESSES_PER_CUSTOMER} addresses; remove one first")
    values = {"channel": channel.value, "address": address, "confirmed": channel is Channel.PUSH}
    await connection.execute(_ADD, {"customer": customer_id, **values})
    made = next(
        each
        for each in await list_addresses(connection, customer_id)
        if (each.channel, each.address) == (channel, address)
    )
    return made, True


async def make_code(connection: Connection, customer_id: str, address: Address, secret: bytes) -> str:
    """Return a new code for an address that waits for one; an older one counts no more."""
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
    hashed = _hash(secret, customer_id, address, code)
    await connection.execute(
        _PUT_CODE, {**_key(customer_id, address), "hash": hashed, "minutes": CODE_MINUTES}
    )
    return code


async def confirm(
    connection: Connection, customer_id: str, address: Address, code: str, secret: bytes
) -> CodeCheck:
    """Confirm an address by a code; a wrong one is counted, so commit in any case."""
    if address.confirmed_at is not None:
        return CodeCheck(Check.CONFIRMED)
    key = _key(customer_id, address)
    row = await (await connection.execute(_TAKE_CODE, key)).fetchone()
    if row is None or not row["is_good"] or row["attempts"] >= CODE_ATTEMPTS:
        return CodeCheck(Check.OVER)
    typed = "".join(code.split())
    if not hmac.compare_digest(_hash(secret, customer_id, address, typed), row["code_hash"]):
        await connection.execute(_COUNT_ATTEMPT, key)
        left = CODE_ATTEMPTS - row["attempts"] - 1
        return CodeCheck(Check.WRONG if left else Check.OVER, left)
    await connection.execute(_CONFIRM, key)
    await connection.execute(_FORGET_CODE, key)
    return CodeCheck(Check.CONFIRMED)


async def remove(
    connection: Connection, customer_id: str, address: Address, mandatory: Collection[str]
) -> None:
    """Remove an address.

    Args:
        connection: In a transaction that says who changes something (`Store.write`), after `lock`.
        customer_id: Whose.
        address: Which.
        mandatory: The alert types that customers must get.

    Raises:
        LastAddressError: A mandatory alert of theirs has no other confirmed address.
    """
    key = _key(customer_id, address)
    if address.confirmed_at is not None and await is_last(connection, customer_id, address, mandatory):
        raise LastAddressError("an alert that must reach the customer has no other confirmed address")
    await connection.execute(_REMOVE, key)


async def start_sms(connection: Connection, address: Address) -> None:
    """Note that a number that sent STOP gets SMS again, as its owner says on a page or in the app."""
    await connection.execute(_START_SMS, {"address": address.address})


async def is_last(
    connection: Connection, customer_id: str, address: Address, mandatory: Collection[str]
) -> bool:
    """Tell whether a mandatory alert of the customer has no confirmed address but this one."""
    values = {**_key(customer_id, address), "types": list(mandatory)}
    return (await connection.execute(_NEEDS, values)).rowcount > 0


def _address(row: Row) -> Address:
    return Address(Channel(row["channel"]), row["address"], row["confirmed_at"], row["stopped"])


def _key(customer_id: str, address: Address) -> dict[str, str]:
    return {"customer": customer_id, "channel": address.channel.value, "address": address.address}


def _hash(secret: bytes, customer_id: str, address: Address, code: str) -> str:
    key = stable_id(customer_id.encode(), address.channel.encode(), address.address.encode(), code.encode())
    return hmac.new(secret, key.encode(), sha256).hexdigest()
