"""PDUs of SMPP 3.4 as a session needs them, beside those that smpp34 encodes. Pure functions."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import smpp34

HEADER = struct.Struct(">IIII")
"""command_length, command_id, command_status, sequence_number."""
RESPONSE = 0x80000000
"""The bit of command_id that makes a request its response; alone it is generic_nack."""
SUBMIT_SM, DELIVER_SM, UNBIND, BIND_TRANSCEIVER, ENQUIRE_LINK, DATA_SM = 0x04, 0x05, 0x06, 0x09, 0x15, 0x103
"""Requests (SMPP 3.4, 5.1.2.1)."""
OK, INVALID_COMMAND_ID, SYSTEM_ERROR, TEMPORARY_ERROR = 0x00, 0x03, 0x08, 0x64
"""Statuses (SMPP 3.4, 5.1.3); ESME_RX_T_APPN: the SMSC shall deliver it again later."""
LONGEST = 1 << 20
"""Bytes of a PDU; a longer one is none."""
_INTERFACE_VERSION = 0x34


@dataclass(frozen=True)
class Delivered:
    """A deliver_sm or data_sm: a receipt, or an SMS from a customer."""

    source_addr: str
    destination_addr: str
    esm_class: int
    data_coding: int
    short_message: bytes
    tlvs: Mapping[int, bytes]


def pdu(command: int, sequence: int, body: bytes = b"", status: int = OK) -> bytes:
    """Write a PDU."""
    return HEADER.pack(HEADER.size + len(body), command, status, sequence) + body


def bind_body(system_id: str, password: str, system_type: str) -> bytes:
    """Write the body of a bind; it asks for no range of addresses."""
    texts = b"".join(text.encode("latin-1", "replace") + b"\0" for text in (system_id, password, system_type))
    return texts + bytes([_INTERFACE_VERSION, 0, 0]) + b"\0"


def parse_delivered(whole: bytes) -> Delivered:
    """Read a deliver_sm or data_sm.

    Raises:
        ValueError: It is none, or cut off.
    """
    if HEADER.unpack_from(whole)[1] == DATA_SM:
        return _parse_data_sm(whole[HEADER.size :])
    try:
        found = smpp34.decode(whole)
    except smpp34.SmppError as error:
        raise ValueError(str(error)) from error
    if not isinstance(found, smpp34.DeliverSm):
        raise ValueError("no deliver_sm")
    return Delivered(
        found.source_addr,
        found.destination_addr,
        found.esm_class,
        found.data_coding,
        found.short_message,
        {tlv.tag: tlv.value for tlv in found.tlvs},
    )


def _parse_data_sm(body: bytes) -> Delivered:
    """Read the body of a data_sm (SMPP 3.4, 4.7.1), which smpp34 does not."""
    try:
        _, rest = _text(body)
        source, rest = _text(rest[2:])
        destination, rest = _text(rest[2:])
        esm_class, _, coding = rest[:3]
        tlvs, rest = {}, rest[3:]
        while rest:
            tag, length = struct.unpack_from(">HH", rest)
            tlvs[tag], rest = rest[4 : 4 + length], rest[4 + length :]
    except struct.error as error:
        raise ValueError("cut off") from error
    return Delivered(source, destination, esm_class, coding, b"", tlvs)


def _text(data: bytes) -> tuple[str, bytes]:
    text, end, rest = data.partition(b"\0")
    if not end:
        raise ValueError("cut off")
    return text.decode("latin-1"), rest
