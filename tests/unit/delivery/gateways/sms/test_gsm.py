"""Texts of SMS: nothing is lost, no letter is torn, and nothing is longer than an SMS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.config.gateways import ReceiptIds
from delivery.gateways.sms import gsm
from delivery.gateways.sms.smpp_encoding import (
    UDH,
    parse_receipt,
    split_message,
    submitted_id,
    validity_period,
)

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
GSM = st.text(st.sampled_from("abcÆ€{}~ñ \n"), max_size=700)


@given(st.one_of(ANY, GSM))
def test_the_parts_are_the_text_and_fit(text: str) -> None:
    parts = gsm.split(text)
    assert "".join(gsm.decode(parts.coding, body) for body in parts.bodies) == text
    single, part = (
        (gsm.SINGLE_GSM, gsm.PART_GSM) if parts.coding == gsm.GSM else (gsm.SINGLE_UCS2, gsm.PART_UCS2)
    )
    limit = single if len(parts.bodies) == 1 else part
    assert all(0 < len(body) <= limit for body in parts.bodies) or text == ""
    assert parts.coding == (gsm.GSM if gsm.is_gsm(text) else gsm.UCS2)


@given(GSM)
def test_no_more_parts_than_needed(text: str) -> None:
    count = len(gsm.split(text).bodies)
    assert count == 1 or gsm.septets(text) > (count - 1) * (gsm.PART_GSM - 1)


@given(ANY)
def test_simplified_stays_readable(text: str) -> None:
    simple = gsm.simplify(text)
    assert gsm.simplify(simple) == simple
    assert all(letter in simple or gsm.simplify(letter) != letter for letter in text)


def test_usual_ways_to_write_a_letter() -> None:
    assert gsm.simplify("Zůstatek…\u00a0\u2013 „x“ \u22125 Ř") == 'Zustatek... - "x" -5 R'
    assert gsm.simplify("äöüß€é") == "äöüß€é"
    assert gsm.simplify("日本") == "日本"


@given(st.one_of(ANY, GSM), st.integers(0, 255))
def test_parts_are_joined_by_their_header(text: str, reference: int) -> None:
    parts = split_message(text, "k", reference, whole=False)
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len({part.key for part in parts}) == len(parts)
    if len(parts) == 1:
        assert (parts[0].key, parts[0].esm_class) == (b"k", 0)
        return
    for number, part in enumerate(parts, 1):
        assert part.esm_class == UDH
        assert part.body[:6] == bytes([5, 0, 3, reference, len(parts), number])
        assert len(part.body) <= (160 if part.coding == gsm.GSM else 140)
    assert "".join(gsm.decode(part.coding, part.body[6:]) for part in parts) == text


@given(st.one_of(ANY, GSM))
def test_whole_texts_are_one_message(text: str) -> None:
    (only,) = split_message(text, "k", 1, whole=True)
    assert gsm.decode(only.coding, only.body) == text
    assert only.payload == (len(gsm.split(text).bodies) > 1)


def test_receipts_by_their_text() -> None:
    text = b"id:4711 sub:001 dlvrd:001 submit date:2511250303 stat:DELIVRD err:000 text:id:1"
    found = parse_receipt(0x04, text, {}, 99)
    assert found is not None
    assert (found.reference, found.delivered, found.at, found.reason) == ("4711", True, 99, None)
    failed = parse_receipt(0x04, b"id:a stat:UNDELIV err:045", {}, 99)
    assert failed is not None
    assert (failed.delivered, failed.reason) == (False, "UNDELIV 045")


def test_receipts_by_their_tlvs() -> None:
    found = parse_receipt(0x04, b"", {0x001E: b"4711\0", 0x0427: b"\x03"}, 99)
    assert found is not None
    assert (found.reference, found.delivered, found.reason) == ("4711", False, "EXPIRED")


def test_what_is_no_end_is_no_receipt() -> None:
    assert parse_receipt(0x00, b"id:1 stat:DELIVRD", {}) is None
    assert parse_receipt(0x04, b"id:1 stat:ENROUTE", {}) is None
    assert parse_receipt(0x04, b"hello", {}) is None
    assert parse_receipt(0x04, b"id:1", {0x0427: b"\x01"}) is None


def test_validity_as_smpp_writes_it() -> None:
    assert validity_period(86_400_000) == "000001000000000R"
    assert validity_period(90 * 60_000) == "000000013000000R"
    assert len(validity_period(1)) == 16


@pytest.mark.parametrize(
    ("receipt_ids", "submitted", "text", "tlv"),
    [
        ("same", "0A1b", "0A1b", ""),
        ("same", "0A1b", "2587", "0A1b"),
        ("decimal", "a1b", "2587", ""),
        ("decimal", "0A1B", "0000002587", ""),
        ("decimal", "0A1B", "2587", "2587"),
        ("decimal", "0A1B", "2587", "0a1b"),
        ("decimal", "1234", "4660", "1234"),
        ("decimal", "0A1B", "", "2587"),
        ("decimal", "7c1f-no-number", "7c1f-no-number", ""),
        ("hexadecimal", "2587", "0A1B", ""),
        ("hexadecimal", "0002587", "a1b", "2587"),
    ],
)
def test_a_receipt_is_of_the_message_whatever_the_base_of_its_id(
    receipt_ids: ReceiptIds, submitted: str, text: str, tlv: str
) -> None:
    tlvs = {0x001E: tlv.encode() + b"\0"} if tlv else {}
    body = f"{f'id:{text} ' if text else ''}stat:DELIVRD".encode()
    found = parse_receipt(0x04, body, tlvs, 99, receipt_ids=receipt_ids)
    assert found is not None
    assert found.reference == submitted_id(submitted, receipt_ids)
