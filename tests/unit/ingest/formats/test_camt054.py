"""camt.054 of any version becomes bookings."""

import pytest

from tests.builders import entry
from tests.unit.ingest.formats.messages import camt, closing, error, ntry, one, parse


@pytest.mark.parametrize("version", ["02", "04", "08", "12"])
def test_any_version(version: str) -> None:
    booking = one(camt(ntry(), version=version))
    assert booking == entry(
        booking["entry_id"], "NL01", amount_minor=1234, balance_minor=10_000, booked_at=1_795_595_400_250
    )


def test_the_status_of_early_versions() -> None:
    assert one(camt(ntry(status="<Sts>BOOK</Sts>")))["entry_id"].startswith("e1/")


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
    only = f"<SplmtryData><Envlp>{other}</Envlp></SplmtryData>"
    assert one(camt(ntry(balance=only)))["balance_minor"] is None


def test_several_entries_and_the_balance_after_all_of_them() -> None:
    head = (
        "<Acct><Id><Othr><Id>77</Id></Othr></Id></Acct>"
        '<SplmtryData><Envlp><Bal><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal></Envlp>'
        "</SplmtryData>"
    )
    first = ntry(service="<AcctSvcrRef>a</AcctSvcrRef>", balance="")
    second = ntry(service="<AcctSvcrRef>b</AcctSvcrRef>", balance="", indicator="<CdtDbtInd>CRDT</CdtDbtInd>")
    bookings = parse(camt(first + second, head=head)).bookings
    assert [(each["entry_id"][:2], each["account_id"], each["balance_minor"]) for each in bookings] == [
        ("a/", "77", 5000 - 1234),
        ("b/", "77", 5000),
    ]


def test_a_reversal_keeps_its_own_indicator() -> None:
    booking = one(camt(ntry(status="<RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>")))
    assert booking["credit_debit"] == "DBIT"
    assert booking["reversal"]


def test_what_is_not_booked_is_skipped() -> None:
    parsed = parse(camt(ntry(status="<Sts><Cd>PDNG</Cd></Sts>") + ntry()))
    assert (parsed.skipped, len(parsed.bookings), parsed.errors) == (1, 1, [])


def test_a_good_entry_beside_a_bad_one() -> None:
    parsed = parse(camt(ntry() + ntry(amount='<Amt Ccy="EUR">1.234</Amt>')))
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
        ({"date": "<BookgDt><DtTm>yesterday</DtTm></BookgDt>"}, "BookgDt/DtTm is no date and time"),
    ],
)
def test_an_error_names_the_field(changed: dict[str, str], reason: str) -> None:
    assert reason in error(camt(ntry(**changed)))


def test_nothing_to_book_is_no_fault() -> None:
    parsed = parse(camt("", head=closing("10.00")))
    assert (parsed.bookings, parsed.errors, parsed.skipped) == ([], [], 0)


def _envelope(*documents: bytes) -> bytes:
    payloads = "".join(f"<Pyld><AppHdr/>{document.decode()}</Pyld>" for document in documents)
    return f"<Xchg><PyldDesc/>{payloads}</Xchg>".encode()


def test_every_document_of_an_envelope_is_read() -> None:
    parsed = parse(_envelope(*(camt(ntry(service=f"<AcctSvcrRef>{name}</AcctSvcrRef>")) for name in "abc")))
    assert [each["entry_id"][:2] for each in parsed.bookings] == ["a/", "b/", "c/"]
    assert parsed.errors == []


def test_a_document_of_another_kind_is_a_fault_beside_the_others() -> None:
    statement = b"<Document><BkToCstmrStmt><Stmt/></BkToCstmrStmt></Document>"
    parsed = parse(_envelope(camt(ntry()), statement, camt(ntry(amount=""))))
    assert len(parsed.bookings) == 1
    assert parsed.errors == [
        "Document 2, not a camt.054: no BkToCstmrDbtCdtNtfctn",
        "Document 3, Ntfctn 1, Ntry 1: no Amt",
    ]


@pytest.mark.parametrize(
    ("announced", "faults"), [("1", 0), ("01", 0), ("2", 1), ("9" * 5_000, 1), ("none", 0)]
)
def test_an_envelope_that_announces_more_documents_than_are_read_is_a_fault(
    announced: str, faults: int
) -> None:
    count = f"<PyldDesc><ApplSpcfcInf><TtlNbOfDocs>{announced}</TtlNbOfDocs></ApplSpcfcInf></PyldDesc>"
    parsed = parse(_envelope(camt(ntry())).replace(b"<PyldDesc/>", count.encode()))
    assert len(parsed.bookings) == 1
    assert parsed.errors == ["the envelope announces another number of documents than 1"] * faults


def test_a_message_without_notifications_refuses_no_other() -> None:
    empty = b"<Document><BkToCstmrDbtCdtNtfctn/></Document>"
    parsed = parse(_envelope(empty, camt(ntry())))
    assert len(parsed.bookings) == 1
    assert parsed.errors == ["Document 1, not a camt.054: no Ntfctn"]


def test_a_document_in_supplementary_data_is_no_message() -> None:
    inner = camt(ntry(service="<AcctSvcrRef>inner</AcctSvcrRef>")).decode()
    whole = camt(ntry()).replace(b"</Ntfctn>", f"</Ntfctn><SplmtryData>{inner}</SplmtryData>".encode())
    assert one(whole)["entry_id"].startswith("e1/")


def test_deeply_nested_documents_are_read_in_no_time() -> None:
    depth = 30_000
    nested = f"{'<Document>' * depth}{camt(ntry()).decode()}{'</Document>' * depth}".encode()
    assert one(nested)["account_id"] == "NL01"
