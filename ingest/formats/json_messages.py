"""JSON messages: an AccountEntry, a payment between two accounts of the bank, or an array of these.

`schemas/BridgeMessage.schema.json` describes them; docs/guides/connect-your-bank/queue.md shows them.
"""

import json
from typing import Any, NoReturn

from account_alerts.records.bookings import DEFAULTS, FIELDS
from account_alerts.records.codec import Record
from ingest.formats.parsed import InvalidMessageError, ParsedMessage

_SIDES = (("debtor", "DBIT"), ("creditor", "CRDT"))
_SHARED = frozenset({"currency", "amount_minor", "booked_at"})
PAYMENT = _SHARED | {"payment_id", "entry_type", "description", "debtor", "creditor"}
"""Fields of a payment."""
SIDE = frozenset({"account_id", "balance_minor", "entry_id", "name"})
"""Fields of each side of a payment."""


def parse(data: bytes) -> ParsedMessage:
    """Parse a JSON message (UTF-8, or another encoding that JSON may have).

    Raises:
        InvalidMessageError: The body is no JSON, or an empty array.
    """
    try:
        content = json.loads(
            data, object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_Fraction
        )
    except InvalidMessageError:
        raise
    except RecursionError:
        raise InvalidMessageError("not JSON: too deep") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise InvalidMessageError(f"not JSON: {reason}") from None
    parsed = ParsedMessage()
    if not isinstance(content, list):
        _add(content, parsed, "")
    elif not content:
        raise InvalidMessageError("an array without bookings")
    else:
        for number, item in enumerate(content, 1):
            _add(item, parsed, f"item {number}: ")
    return parsed


class _Fraction:
    """A number with a fraction or an exponent: never an amount in minor units, and never rounded to one."""

    def __init__(self, text: str) -> None:
        """Ignore the value: validation refuses any number of this type."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise InvalidMessageError("not JSON: a field is there twice")
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidMessageError(f"not JSON: {name}")


def _add(item: Any, parsed: ParsedMessage, where: str) -> None:
    try:
        if not isinstance(item, dict):
            raise InvalidMessageError("neither an AccountEntry nor a payment")
        if "debtor" in item or "creditor" in item:
            _add_payment(item, parsed, where)
        else:
            _check_fields(item, FIELDS, FIELDS.difference(DEFAULTS))
            parsed.add({**DEFAULTS, **item})
    except InvalidMessageError as error:
        parsed.errors.append(f"{where}{error}")


def _add_payment(payment: Record, parsed: ParsedMessage, where: str) -> None:
    """Add two bookings: one on each account, each with the other as its counterparty."""
    _check_fields(payment, PAYMENT, PAYMENT - {"entry_type", "description"})
    for name, _ in _SIDES:
        if not isinstance(payment[name], dict):
            raise InvalidMessageError(f"{name} is no object")
        try:
            _check_fields(payment[name], SIDE, frozenset({"account_id"}))
        except InvalidMessageError as error:
            raise InvalidMessageError(f"{name}: {error}") from None
    if payment["debtor"]["account_id"] == payment["creditor"]["account_id"]:
        raise InvalidMessageError("debtor and creditor are the same account")
    if not isinstance(payment["payment_id"], str) or not payment["payment_id"]:
        raise InvalidMessageError("payment_id is empty, or no text")
    for (name, indicator), (other, _) in zip(_SIDES, reversed(_SIDES), strict=True):
        side = payment[name]
        try:
            parsed.add(
                {
                    **DEFAULTS,
                    **{key: payment[key] for key in _SHARED},
                    "entry_id": side.get("entry_id", f"{payment['payment_id']}/{name}"),
                    "account_id": side["account_id"],
                    "credit_debit": indicator,
                    "balance_minor": side.get("balance_minor"),
                    "entry_type": payment.get("entry_type", "TRANSFER"),
                    "counterparty": payment[other]["account_id"],
                    "counterparty_name": payment[other].get("name"),
                    "description": payment.get("description"),
                }
            )
        except InvalidMessageError as error:
            parsed.errors.append(f"{where}{name}: {error}")


def _check_fields(item: Record, known: frozenset[str], needed: frozenset[str]) -> None:
    if missing := needed - item.keys():
        raise InvalidMessageError(f"{', '.join(sorted(missing))} missing")
    if not item.keys() <= known:
        # Not named: they are the sender's content.
        raise InvalidMessageError(
            f"{len(item.keys() - known)} unknown fields; known are {', '.join(sorted(known))}"
        )
