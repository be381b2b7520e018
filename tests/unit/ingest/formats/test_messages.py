"""Messages of the queue read as bookings: camt.054 of any version, and JSON."""

import json
import random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.config import PROJECT
from account_alerts.records.bookings import ENTRY_TYPES, FIELDS, OPTIONAL
from devenv.bank import camt054_writer
from ingest.formats import detect, json_messages
from ingest.formats.parsed import ParsedMessage
from tests.builders import NOON, entry

_UTC = ZoneInfo("UTC")
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001."


def read(data: bytes) -> ParsedMessage:
    """What a message is taken for."""
    return detect.parse(data, _UTC)


def camt(
    entries: str, *, version: str = "08", head: str = "<Acct><Id><IBAN>NL01</IBAN></Id></Acct>"
) -> bytes:
    """A message with one notification."""
    return (
        f'<Document xmlns="{_NAMESPACE}{version}"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>m</MsgId>'
        f"<CreDtTm>2026-11-25T10:00:00Z</CreDtTm></GrpHdr><Ntfctn><Id>n</Id>{head}{entries}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def ntry(**parts: str) -> str:
    """An entry; each part can be replaced, or left out by an empty text."""
    shown = {
        "reference": "<NtryRef>r</NtryRef>",
        "amount": '<Amt Ccy="EUR">12.34</Amt>',
        "indicator": "<CdtDbtInd>DBIT</CdtDbtInd>",
        "status": "<Sts><Cd>BOOK</Cd></Sts>",
        "date": "<BookgDt><DtTm>2026-11-25T09:30:00.250+01:00</DtTm></BookgDt>",
        "service": "<AcctSvcrRef>e1</AcctSvcrRef>",
        "code": "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn>"
        "</BkTxCd>",
        "details": "",
        "balance": '<SplmtryData><Envlp><Bal><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
        "</Envlp></SplmtryData>",
    } | parts
    return f"<Ntry>{''.join(shown.values())}</Ntry>"


def one(data: bytes) -> dict[str, Any]:
    """The only booking of a message without faults."""
    parsed = read(data)
    assert not parsed.errors
    [booking] = parsed.bookings
    return booking


def fault(data: bytes) -> str:
    """The only fault of a message without bookings."""
    parsed = read(data)
    assert not parsed.bookings
    [reason] = parsed.errors
    return reason


_texts = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=20).map(
    str.strip
)
_bookings = st.builds(
    entry,
    entry_id=st.from_regex(r"[A-Za-z0-9<&>' -]{0,20}[A-Za-z0-9]", fullmatch=True).map(str.strip),
    account_id=st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    amount_minor=st.integers(1, 10**15),
    balance_minor=st.integers(-(10**15), 10**15),
    credit_debit=st.sampled_from(["CRDT", "DBIT"]),
    entry_type=st.sampled_from(ENTRY_TYPES),
    booked_at=st.integers(0, 4_000_000_000_000),
    description=st.none() | _texts.map(lambda text: " ".join(text.split()) or None),
)


def unforeseen(parsed: ParsedMessage) -> list[str]:
    """Faults that only a mistake of our own can cause."""
    return [fault for fault in parsed.errors if fault.startswith("cannot be read")]


@given(_bookings)
def test_what_is_written_is_read(booking: dict[str, Any]) -> None:
    assert one(camt054_writer.write(booking)) == booking
    assert one(json.dumps(booking).encode()) == booking


@given(_bookings, st.randoms(use_true_random=False), st.integers(1, 5))
def test_no_change_of_its_bytes_makes_it_raise(
    booking: dict[str, Any], chance: random.Random, changes: int
) -> None:
    for whole in (camt054_writer.write(booking), json.dumps(booking).encode()):
        data = bytearray(whole)
        for _ in range(changes):
            place = chance.randrange(len(data))
            data[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        parsed = read(bytes(data))
        assert parsed.bookings or parsed.errors or parsed.skipped
        assert not unforeseen(parsed)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    parsed = read(data)
    assert parsed.bookings or parsed.errors
    assert not unforeseen(parsed)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "iso-8859-2"])
def test_any_encoding_of_single_bytes_or_unicode(encoding: str) -> None:
    entry = ntry(details="<AddtlNtryInf>café <![CDATA[& ]]><!-- no -->Söhne</AddtlNtryInf>")
    text = f'<?xml version="1.0" encoding="{encoding}"?>{camt(entry).decode()}'
    assert one(text.encode(encoding))["description"] == "café & Söhne"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF8"),
        ("utf-8-sig", "utf_8"),
        ("utf-16", "UTF-8"),
        ("utf-16-le", "UTF-16"),
    ],
)
def test_unicode_by_other_names_and_re_encoded_on_its_way(encoding: str, declared: str) -> None:
    entry = ntry(details="<AddtlNtryInf>Söhne</AddtlNtryInf>")
    head = f"<?xml version='1.0' encoding='{declared}'?>"
    assert one(f"{head}{camt(entry).decode()}".encode(encoding))["description"] == "Söhne"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("letter", ["x", ">", "\u223c"])
def test_a_long_namespace_is_refused(encoding: str, quote: str, letter: str) -> None:
    names = "".join(f"<b{number}/>" for number in range(3_000))
    data = f"<a xmlns= {quote}{letter * 400_000}{quote}>{names}</a>"
    assert "an attribute of 600 bytes or more" in fault(data.encode(encoding))


@pytest.mark.parametrize("version", ["02", "04", "08", "12"])
def test_any_version(version: str) -> None:
    booking = one(camt(ntry(), version=version))
    assert booking == entry(
        "e1", "NL01", amount_minor=1234, balance_minor=10_000, booked_at=1_795_595_400_250
    )


def test_the_status_of_early_versions() -> None:
    assert one(camt(ntry(status="<Sts>BOOK</Sts>")))["entry_id"] == "e1"


@pytest.mark.parametrize(
    ("amount", "minor"), [("JPY 150", 150), ("KWD 1.234", 1234), ("EUR 7", 700), ("EUR 0.5", 50)]
)
def test_amounts_by_the_decimals_of_the_currency(amount: str, minor: int) -> None:
    currency, _, digits = amount.partition(" ")
    text = f'<Amt Ccy="{currency}">{digits}</Amt>'
    balance = f"<SplmtryData><Bal>{text}<CdtDbtInd>DBIT</CdtDbtInd></Bal></SplmtryData>"
    booking = one(camt(ntry(amount=text, balance=balance)))
    assert (booking["amount_minor"], booking["balance_minor"]) == (minor, -minor)


@pytest.mark.parametrize("kind", ["<Cd>ITAV</Cd>", "<Prtry>AVAILABLE_WITH_OVERDRAFT</Prtry>"])
def test_a_balance_of_something_else_is_not_what_is_booked(kind: str) -> None:
    booked = '<Bal><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
    other = booked.replace("<Bal>", f"<Bal><Tp><CdOrPrtry>{kind}</CdOrPrtry></Tp>").replace(
        "100.00", "5000.00"
    )
    both = f"<SplmtryData><Envlp>{other}{booked}</Envlp></SplmtryData>"
    assert one(camt(ntry(balance=both)))["balance_minor"] == 10_000
    [fault] = read(camt(ntry(balance=f"<SplmtryData><Envlp>{other}</Envlp></SplmtryData>"))).errors
    assert "no balance after the booking" in fault


def test_several_entries_and_the_balance_after_all_of_them() -> None:
    head = (
        "<Acct><Id><Othr><Id>77</Id></Othr></Id></Acct>"
        '<SplmtryData><Envlp><Bal><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal></Envlp>'
        "</SplmtryData>"
    )
    first = ntry(service="<AcctSvcrRef>a</AcctSvcrRef>", balance="")
    second = ntry(service="<AcctSvcrRef>b</AcctSvcrRef>", balance="", indicator="<CdtDbtInd>CRDT</CdtDbtInd>")
    bookings = read(camt(first + second, head=head)).bookings
    assert [(each["entry_id"], each["account_id"], each["balance_minor"]) for each in bookings] == [
        ("a", "77", 5000 - 1234),
        ("b", "77", 5000),
    ]


def test_a_reversal_keeps_its_own_indicator() -> None:
    booking = one(camt(ntry(status="<RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>")))
    assert booking["credit_debit"] == "DBIT"


def test_what_is_not_booked_is_passed_over() -> None:
    parsed = read(camt(ntry(status="<Sts><Cd>PDNG</Cd></Sts>") + ntry()))
    assert (parsed.skipped, len(parsed.bookings), parsed.errors) == (1, 1, [])


def test_one_reference_for_both_sides() -> None:
    debit, credit = entry("p", "A"), entry("p", "B", credit_debit="CRDT")
    ids = [booking["entry_id"] for booking in read(camt054_writer.write(debit, credit)).bookings]
    assert ids == ["p/A", "p/B"]


def test_a_good_entry_beside_a_bad_one() -> None:
    parsed = read(camt(ntry() + ntry(amount='<Amt Ccy="EUR">1.234</Amt>')))
    assert len(parsed.bookings) == 1
    assert parsed.errors == ["Ntfctn 1, Ntry 2: Amt has more decimals than EUR"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": ""}, "no Amt"),
        ({"amount": '<Amt Ccy="EUX">1</Amt>'}, "currency is not in ISO 4217"),
        ({"amount": '<Amt Ccy="EUR">1e3</Amt>'}, "Amt is no amount"),
        ({"amount": '<Amt Ccy="EUR">0.00</Amt>'}, "amount_minor"),
        ({"indicator": "<CdtDbtInd>BOTH</CdtDbtInd>"}, "credit_debit"),
        ({"status": "<Sts><Cd>OTHR</Cd></Sts>"}, "Sts is none of"),
        ({"balance": ""}, "no balance after the booking"),
        ({"date": "<BookgDt><DtTm>yesterday</DtTm></BookgDt>"}, "BookgDt/DtTm is no date and time"),
    ],
)
def test_a_fault_names_the_field(changed: dict[str, str], reason: str) -> None:
    assert reason in fault(camt(ntry(**changed)))


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><Document/>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Document>&b;</Document>',
        b"<Document/>",
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"<a>" * 100_000,
        b"<a>" * 100_000 + b"</a>" * 100_000,
        camt("<Ntry>" + "<Bal>" * 100_000 + "</Bal>" * 100_000 + "</Ntry>"),
        b'<?xml version="1.0" encoding="Shift_JIS"?><a/>',
        b'<?xml version="1.0" encoding="none"?><a/>',
    ],
)
def test_unsafe_or_other_xml_is_refused(data: bytes) -> None:
    assert "root:" not in fault(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "an array without bookings"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": 1, "a": 2}', "a field is there twice"),
        (json.dumps({**entry(), "amount_minor": 1.5}).encode(), "amount_minor is no integer"),
        (json.dumps({**entry(), "amount_minor": True}).encode(), "amount_minor is no integer"),
        (json.dumps({**entry(), "more": 1}).encode(), "1 unknown fields"),
        (json.dumps({**entry(), "amount_minor": float("nan")}).encode(), "not JSON: NaN"),
    ],
)
def test_a_fault_of_json(data: bytes, reason: str) -> None:
    assert reason in fault(data)


def test_a_payment() -> None:
    payment = {
        **{"payment_id": "p", "currency": "EUR", "amount_minor": 5, "booked_at": NOON},
        "debtor": {"account_id": "a", "balance_minor": -5},
        "creditor": {"account_id": "b", "balance_minor": 5, "entry_id": "own"},
    }
    debit, credit = read(json.dumps(payment).encode()).bookings
    assert debit == entry("p/debtor", "a", amount_minor=5, balance_minor=-5, counterparty="b")
    assert credit == entry("own", "b", amount_minor=5, balance_minor=5, counterparty="a", credit_debit="CRDT")
    payment["creditor"] = {"account_id": "a", "balance_minor": 5}
    assert "the same account" in fault(json.dumps(payment).encode())


def test_the_schema_names_what_is_read() -> None:
    parts = json.loads((PROJECT / "schemas/BridgeMessage.schema.json").read_text())["$defs"]
    assert set(parts["booking"]["properties"]) == FIELDS
    assert set(parts["booking"]["required"]) == FIELDS.difference(OPTIONAL)
    assert set(parts["payment"]["properties"]) == json_messages.PAYMENT
    assert set(parts["side"]["properties"]) == json_messages.SIDE
    assert tuple(parts["entry_type"]["enum"]) == ENTRY_TYPES
