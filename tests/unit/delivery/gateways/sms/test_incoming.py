"""What customers send, in the alphabets and shapes that SMSCs deliver it in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.gateways.sms import gsm
from delivery.gateways.sms.incoming import IncomingSms, Part, readings, split_header
from delivery.gateways.sms.smpp_encoding import MESSAGE_PAYLOAD, UDH, incoming_sms
from delivery.gateways.sms.smpp_pdu import DATA_SM, DELIVER_SM, Delivered, parse_delivered, pdu

FROM, TO = "420777123456", "Bank"


def packed(text: str, fill: int = 0) -> bytes:
    """Pack septets, as 3GPP TS 23.038 (6.1.2.1) says."""
    [body] = gsm.split(text).bodies
    bits = sum(letter << 7 * at for at, letter in enumerate(body)) << fill
    return bits.to_bytes((len(body) * 7 + fill + 7) // 8, "little")


def sms(body: bytes, coding: int = 0, part: Part | None = None) -> IncomingSms:
    return IncomingSms(FROM, TO, coding, body, part)


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        (0, b"STOP", "STOP"),
        (0, b"\x5b\x02", "Ä$"),
        (0, packed("STOP"), "STOP"),
        (0, packed("ABMELDEN"), "ABMELDEN"),
        (0, "Zrušit".encode(), "Zrušit"),
        (1, b"STOP", "STOP"),
        (3, "kündigen".encode("latin-1"), "kündigen"),
        (8, "ODHLÁSIT".encode("utf-16-be"), "ODHLÁSIT"),
        (8, "STOP".encode("utf-16-le"), "STOP"),
        (0x18, b"STOP", "STOP"),
        (0xF0, b"STOP", "STOP"),
        (0xE0, "STOP".encode("utf-16-be"), "STOP"),
        (4, b"STOP", "STOP"),
    ],
)
def test_alphabets(coding: int, body: bytes, text: str) -> None:
    assert text in list(readings([sms(body, coding)]))


@pytest.mark.parametrize("body", [b"", b"\x1b", b"\xff\xff\xff", bytes(range(256))])
@pytest.mark.parametrize("coding", range(0, 256, 3))
def test_any_bytes_are_read_without_an_error(coding: int, body: bytes) -> None:
    list(readings([sms(body, coding)]))


def test_parts_are_joined_before_they_are_read() -> None:
    letter = "Á".encode("utf-16-be")
    halves = [sms(letter[:1], 8, Part(1, 2, 1)), sms(letter[1:], 8, Part(1, 2, 2))]
    assert "Á" in list(readings(halves))
    halves = [sms(packed("ST", 1), 0, Part(1, 2, 1)), sms(packed("OP", 1), 0, Part(1, 2, 2))]
    assert "STOP" in list(readings(halves))


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"\x05\x00\x03\x07\x02\x01", Part(7, 2, 1)),
        (b"\x06\x08\x04\x01\x07\x03\x03", Part(263, 3, 3)),
        (b"\x09\x05\x02\x0b\x84\x00\x03\x07\x02\x02", Part(7, 2, 2)),
        (b"\x05\x00\x03\x07\x02\x03", None),
        (b"\x05\x00\x03\x07\x02\x00", None),
        (b"\x03\x00\x03\x07", None),
        (b"\x00", None),
    ],
)
def test_headers_of_parts(header: bytes, part: Part | None) -> None:
    assert split_header(header + b"STOP") == (part, b"STOP")


def delivered(**fields: object) -> Delivered:
    values = {
        "source_addr": "+420777123456",
        "destination_addr": TO,
        "esm_class": 0,
        "data_coding": 0,
        "short_message": b"STOP",
        "tlvs": {},
    }
    return Delivered(**{**values, **fields})  # type: ignore[arg-type]


def test_what_an_smsc_delivers() -> None:
    assert incoming_sms(delivered()) == sms(b"STOP")
    payload = delivered(short_message=b"", tlvs={MESSAGE_PAYLOAD: b"STOP"})
    assert incoming_sms(payload) == sms(b"STOP")
    part = delivered(esm_class=UDH, short_message=b"\x05\x00\x03\x07\x02\x01ST")
    assert incoming_sms(part) == sms(b"ST", 0, Part(7, 2, 1))
    sar = delivered(tlvs={0x020C: b"\x01\x07", 0x020E: b"\x02", 0x020F: b"\x02"})
    assert incoming_sms(sar) == sms(b"STOP", 0, Part(263, 2, 2))
    assert incoming_sms(delivered(tlvs={0x020C: b"\x01\x07"})) == sms(b"STOP")
    alone = delivered(esm_class=UDH, short_message=b"\x05\x00\x03\x07\x01\x01STOP")
    assert incoming_sms(alone) == sms(b"STOP")
    assert incoming_sms(delivered(source_addr="Operator")) is None


@given(st.sampled_from([DELIVER_SM, DATA_SM]), st.binary(max_size=120))
def test_any_bytes_of_an_smsc_are_read_or_refused(command: int, body: bytes) -> None:
    try:
        found = parse_delivered(pdu(command, 1, body))
    except ValueError:
        return
    if (sms := incoming_sms(found)) is not None:
        list(readings([sms]))
