"""Encodes messages for SMPP, and reads its receipts. Pure functions."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from delivery.gateways.base import Receipt
from delivery.gateways.sms import gsm

UDH = 0x40
"""The bit of esm_class that says that the body begins with a header."""
RECEIPT = 0x04
"""The bits of esm_class that say that a deliver_sm is a receipt."""
RECEIPTED_MESSAGE_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
_DELIVERED, _ON_ITS_WAY = 2, frozenset({0, 1, 6})
"""Values of message_state; accepted (6) is no end yet."""
_STATES = {2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 7: "UNKNOWN", 8: "REJECTD"}
_FIELD = re.compile(r"\b(id|stat|err):\s*(\S+)")


@dataclass(frozen=True)
class Submit:
    """One submit_sm of a message."""

    body: bytes
    esm_class: int
    coding: int
    payload: bool
    """The body goes into message_payload instead of short_message."""
    key: bytes
    """The idempotency key of this part."""
    last: bool


def split_message(text: str, key: str, reference: int, *, whole: bool) -> list[Submit]:
    """Split a text into the parts that are sent.

    Args:
        text: The SMS.
        key: Its idempotency key; parts get their number added.
        reference: The number that joins parts, the same at every attempt so that a repeated part fits.
        whole: A long text goes in one message_payload, and the SMSC cuts it.
    """
    parts = gsm.split(text)
    if len(parts.bodies) == 1:
        return [Submit(parts.bodies[0], 0, parts.coding, False, key.encode(), True)]
    if whole:
        return [Submit(b"".join(parts.bodies), 0, parts.coding, True, key.encode(), True)]
    total = len(parts.bodies)
    return [
        Submit(
            gsm.header(reference, total, number) + body,
            UDH,
            parts.coding,
            False,
            f"{key}-{number}".encode(),
            number == total,
        )
        for number, body in enumerate(parts.bodies, 1)
    ]


def parse_receipt(
    esm_class: int, body: bytes, tlvs: Mapping[int, bytes], now: int | None = None
) -> Receipt | None:
    """Read the receipt in a deliver_sm; None where it is none, or reports no final state.

    By the TLVs where they are there, else by the text that most SMSCs write (SMPP 3.4, appendix B).
    """
    if esm_class & 0x3C != RECEIPT:
        return None
    # The first of a name counts: the end of the text is the customer's SMS.
    fields = dict(reversed(_FIELD.findall(body.decode("latin-1"))))
    message_id = tlvs.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or fields.get("id", "")
    state = int.from_bytes(tlvs[MESSAGE_STATE], "big") if tlvs.get(MESSAGE_STATE) else None
    said = _STATES.get(state, "") if state is not None else fields.get("stat", "").upper()
    if not message_id or state in _ON_ITS_WAY or said in ("", "ENROUTE", "ACCEPTD"):
        return None
    delivered = said == _STATES[_DELIVERED]
    at = time.time_ns() // 1_000_000 if now is None else now
    error = fields.get("err", "000")
    reason = None if delivered else f"{said}{'' if error.strip('0') == '' else f' {error}'}"
    return Receipt(message_id, delivered, at, reason)


def validity_period(ms: int) -> str:
    """Write a duration as SMPP has it: `000001000000000R` is a day."""
    minutes = min(max(ms // 60_000, 1), 30 * 24 * 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"0000{days:02d}{rest // 60:02d}{rest % 60:02d}00000R"
