"""JSON messages: an AccountEntry, a payment between two accounts of the bank, or an array of these.

`schemas/BridgeMessage.schema.json` describes them; docs/bridge.md shows them.
"""

import json
from typing import Any, NoReturn

from account_alerts.records.bookings import FIELDS, OPTIONAL
from account_alerts.records.codec import Record
from ingest.formats.parsed import Reading, UnusableError

_SIDES = (("debtor", "DBIT"), ("creditor", "CRDT"))
_SHARED = frozenset({"currency", "amount_minor", "booked_at"})
PAYMENT = _SHARED | {"payment_id", "entry_type", "description", "debtor", "creditor"}
"""Fields of a payment."""
SIDE = frozenset({"account_id", "balance_minor", "entry_id"})
"""Fields of each side of a payment."""
_NOTHING = dict.fromkeys(OPTIONAL)


def read(data: bytes) -> Reading:
    """The bookings of a JSON message (UTF-8, or another encoding that JSON may have).

    Raises:
        UnusableError: The message as a whole is none.
    """
    try:
        content = json.loads(
            data, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_Fraction
        )
    except UnusableError:
        raise
    except RecursionError:
        raise UnusableError("not JSON: too deep") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise UnusableError(f"not JSON: {reason}") from None
    reading = Reading()
    if not isinstance(content, list):
        _take(content, reading, "")
    elif not content:
        raise UnusableError("an array without bookings")
    else:
        for number, item in enumerate(content, 1):
            _take(item, reading, f"item {number}: ")
    return reading


class _Fraction:
    """A number with a fraction or an exponent: never an amount in minor units, and never rounded to one."""

    def __init__(self, text: str) -> None:
        """Its value is not looked at."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise UnusableError("not JSON: a field is there twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise UnusableError(f"not JSON: {name}")


def _take(item: Any, reading: Reading, where: str) -> None:
    try:
        if not isinstance(item, dict):
            raise UnusableError("neither an AccountEntry nor a payment")
        if "debtor" in item or "creditor" in item:
            _take_payment(item, reading, where)
        else:
            _check_fields(item, FIELDS, FIELDS.difference(OPTIONAL))
            reading.take({**_NOTHING, **item})
    except UnusableError as error:
        reading.faults.append(f"{where}{error}")


def _take_payment(payment: Record, reading: Reading, where: str) -> None:
    """Two bookings: one on each account, each with the other as its counterparty."""
    _check_fields(payment, PAYMENT, PAYMENT - {"entry_type", "description"})
    for name, _ in _SIDES:
        if not isinstance(payment[name], dict):
            raise UnusableError(f"{name} is no object")
        try:
            _check_fields(payment[name], SIDE, SIDE - {"entry_id"})
        except UnusableError as error:
            raise UnusableError(f"{name}: {error}") from None
    if payment["debtor"]["account_id"] == payment["creditor"]["account_id"]:
        raise UnusableError("debtor and creditor are the same account")
    if not isinstance(payment["payment_id"], str) or not payment["payment_id"]:
        raise UnusableError("payment_id is empty, or no text")
    for (name, indicator), (other, _) in zip(_SIDES, reversed(_SIDES), strict=True):
        side = payment[name]
        try:
            reading.take(
                {
                    **_NOTHING,
                    **{key: payment[key] for key in _SHARED},
                    "entry_id": side.get("entry_id", f"{payment['payment_id']}/{name}"),
                    "account_id": side["account_id"],
                    "credit_debit": indicator,
                    "balance_minor": side["balance_minor"],
                    "entry_type": payment.get("entry_type", "TRANSFER"),
                    "counterparty": payment[other]["account_id"],
                    "description": payment.get("description"),
                }
            )
        except UnusableError as error:
            reading.faults.append(f"{where}{name}: {error}")


def _check_fields(item: Record, known: frozenset[str], needed: frozenset[str]) -> None:
    if missing := needed - item.keys():
        raise UnusableError(f"{', '.join(sorted(missing))} missing")
    if not item.keys() <= known:
        # Not named: they are the sender's content.
        raise UnusableError(
            f"{len(item.keys() - known)} unknown fields; known are {', '.join(sorted(known))}"
        )
