"""Messages of the queue for tests, and what they are parsed into."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from account_alerts.model.alerts import EntryType
from ingest.formats import detect
from ingest.formats.parsed import ParsedMessage
from tests.builders import entry

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.054.001."


def parse(data: bytes, zone: str = "UTC", codes: Mapping[str, EntryType] | None = None) -> ParsedMessage:
    """Tell what a message is taken for."""
    return detect.parse(data, ZoneInfo(zone), transaction_codes=codes or {})


def camt(
    entries: str, *, version: str = "08", head: str = "<Acct><Id><IBAN>NL01</IBAN></Id></Acct>"
) -> bytes:
    """Make a message with one notification."""
    return (
        f'<Document xmlns="{_NAMESPACE}{version}"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>m</MsgId>'
        f"<CreDtTm>2026-11-25T10:00:00Z</CreDtTm></GrpHdr><Ntfctn><Id>n</Id>{head}{entries}</Ntfctn>"
        "</BkToCstmrDbtCdtNtfctn></Document>"
    ).encode()


def ntry(**parts: str) -> str:
    """Make an entry; each part can be replaced, or left out by an empty text."""
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


def closing(amount: str, currency: str = "EUR", account: str = "NL01") -> str:
    """Make the head of a notification that has a balance after all its entries, in credit."""
    return (
        f"<Acct><Id><IBAN>{account}</IBAN></Id></Acct><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>'
    )


def at(time: str) -> str:
    """Make the time of an entry; a date where it is one."""
    kind = "DtTm" if "T" in time else "Dt"
    return f"<BookgDt><{kind}>{time}</{kind}></BookgDt>"


def one(data: bytes, zone: str = "UTC", codes: Mapping[str, EntryType] | None = None) -> dict[str, Any]:
    """Return the only booking of a message without faults."""
    parsed = parse(data, zone, codes)
    assert not parsed.errors
    [booking] = parsed.bookings
    return booking


def error(data: bytes) -> str:
    """Return the only fault of a message without bookings."""
    parsed = parse(data)
    assert not parsed.bookings
    [reason] = parsed.errors
    return reason


_texts = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), min_size=1, max_size=20).map(
    str.strip
)


BOOKINGS = st.builds(
    entry,
    entry_id=st.from_regex(r"[A-Za-z0-9<&>' -]{0,20}[A-Za-z0-9]", fullmatch=True).map(str.strip),
    account_id=st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    amount_minor=st.integers(1, 10**15),
    balance_minor=st.integers(-(10**15), 10**15),
    credit_debit=st.sampled_from(["CRDT", "DBIT"]),
    entry_type=st.sampled_from(tuple(EntryType)),
    booked_at=st.integers(0, 4_000_000_000_000),
    description=st.none() | _texts.map(lambda text: " ".join(text.split()) or None),
)
