"""Encodes messages for SMPP, and reads its receipts. Pure functions."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from account_alerts.config.gateways import ReceiptIds
from delivery.gateways.base import Receipt
from delivery.gateways.sms import gsm
from delivery.gateways.sms.incoming import IncomingSms, Part, split_header
from delivery.gateways.sms.phone import international
from delivery.gateways.sms.smpp_pdu import Delivered

UDH = 0x40
"""The bit of esm_class that says that the body begins with a header."""
MESSAGE_TYPE = 0x3C
"""The bits of esm_class that say what a deliver_sm is; none of them: an SMS from a customer."""
RECEIPT = 0x04
"""Those of them that say that it is a receipt."""
RECEIPTED_MESSAGE_ID, MESSAGE_STATE, MESSAGE_PAYLOAD = 0x001E, 0x0427, 0x0424
_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER = 0x020C, 0x020E, 0x020F
"""TLVs that join parts instead of a header (SMPP 3.4, 5.3.2.22 to 24)."""
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


def submitted_id(message_id: str, receipt_ids: ReceiptIds) -> str:
    """Return the id in a submit_sm_resp in the form that both sides of `receipt_ids` are compared in."""
    return (
        message_id if receipt_ids == "same" else _number(message_id, 16 if receipt_ids == "decimal" else 10)
    )


def parse_receipt(
    esm_class: int,
    body: bytes,
    tlvs: Mapping[int, bytes],
    now: int | None = None,
    *,
    receipt_ids: ReceiptIds = "same",
) -> Receipt | None:
    """Read the receipt in a deliver_sm; None where it is none, or reports no final state.

    By the TLVs where they are there, else by the text that most SMSCs write (SMPP 3.4, appendix B).
    """
    if esm_class & MESSAGE_TYPE != RECEIPT:
        return None
    # The first of a name counts: the end of the text is the customer's SMS.
    fields = dict(reversed(_FIELD.findall(body.decode("latin-1"))))
    tagged = tlvs.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    message_id = _receipted_id(tagged, fields.get("id", ""), receipt_ids)
    state = int.from_bytes(tlvs[MESSAGE_STATE], "big") if tlvs.get(MESSAGE_STATE) else None
    said = _STATES.get(state, "") if state is not None else fields.get("stat", "").upper()
    if not message_id or state in _ON_ITS_WAY or said in ("", "ENROUTE", "ACCEPTD"):
        return None
    delivered = said == _STATES[_DELIVERED]
    at = time.time_ns() // 1_000_000 if now is None else now
    error = fields.get("err", "000")
    reason = None if delivered else f"{said}{'' if error.strip('0') == '' else f' {error}'}"
    return Receipt(message_id, delivered, at, reason)


def _receipted_id(tagged: str, written: str, receipt_ids: ReceiptIds) -> str:
    """Return the id of a receipt in the form of `submitted_id`.

    The TLV has the id as it was given (SMPP 3.4, 5.3.2.12); some SMSCs write it as the text does.
    """
    if receipt_ids == "same":
        return tagged or written
    if tagged and written and tagged != written:
        return submitted_id(tagged, receipt_ids)
    return _number(tagged or written, 10 if receipt_ids == "decimal" else 16)


def _number(text: str, base: int) -> str:
    """Return a number as decimal digits; what is none stays as it is."""
    try:
        return str(int(text, base)) if text.isalnum() and text.isascii() else text
    except ValueError:
        return text


def incoming_sms(delivered: Delivered) -> IncomingSms | None:
    """Return a customer's SMS, or the part of one, in a deliver_sm; None where it is from no phone."""
    number = international(delivered.source_addr)
    if number is None:
        return None
    tlvs = delivered.tlvs
    body, part = delivered.short_message or tlvs.get(MESSAGE_PAYLOAD, b""), None
    if delivered.esm_class & UDH:
        part, body = split_header(body)
    elif _SAR_REFERENCE in tlvs:
        reference, total, at = (
            int.from_bytes(tlvs.get(tag, b""), "big") for tag in (_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER)
        )
        part = Part(reference, total, at) if 1 <= at <= total else None
    if part is not None and part.total == 1:
        part = None
    return IncomingSms(number, delivered.destination_addr, delivered.data_coding, body, part)


def validity_period(ms: int) -> str:
    """Write a duration as SMPP has it: `000001000000000R` is a day."""
    minutes = min(max(ms // 60_000, 1), 30 * 24 * 60)
    days, rest = divmod(minutes, 24 * 60)
    return f"0000{days:02d}{rest // 60:02d}{rest % 60:02d}00000R"
