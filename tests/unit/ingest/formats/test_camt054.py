"""camt.054 of any version becomes bookings."""

import pytest

from devenv.bank import camt054_writer
from tests.builders import entry
from tests.unit.ingest.formats.messages import camt, error, ntry, one, parse


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
    [fault] = parse(camt(ntry(balance=f"<SplmtryData><Envlp>{other}</Envlp></SplmtryData>"))).errors
    assert "no balance after the booking" in fault


def test_several_entries_and_the_balance_after_all_of_them() -> None:
    head = (
        "<Acct><Id><Othr><Id>77</Id></Othr></Id></Acct>"
        '<SplmtryData><Envlp><Bal><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal></Envlp>'
        "</SplmtryData>"
    )
    first = ntry(service="<AcctSvcrRef>a</AcctSvcrRef>", balance="")
    second = ntry(service="<AcctSvcrRef>b</AcctSvcrRef>", balance="", indicator="<CdtDbtInd>CRDT</CdtDbtInd>")
    bookings = parse(camt(first + second, head=head)).bookings
    assert [(each["entry_id"], each["account_id"], each["balance_minor"]) for each in bookings] == [
        ("a", "77", 5000 - 1234),
        ("b", "77", 5000),
    ]


def test_a_reversal_keeps_its_own_indicator() -> None:
    booking = one(camt(ntry(status="<RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>")))
    assert booking["credit_debit"] == "DBIT"


def test_what_is_not_booked_is_skipped() -> None:
    parsed = parse(camt(ntry(status="<Sts><Cd>PDNG</Cd></Sts>") + ntry()))
    assert (parsed.skipped, len(parsed.bookings), parsed.errors) == (1, 1, [])


def test_one_reference_for_both_sides() -> None:
    debit, credit = entry("p", "A"), entry("p", "B", credit_debit="CRDT")
    ids = [booking["entry_id"] for booking in parse(camt054_writer.write(debit, credit)).bookings]
    assert ids == ["p/A", "p/B"]


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
        ({"balance": ""}, "no balance after the booking"),
        ({"date": "<BookgDt><DtTm>yesterday</DtTm></BookgDt>"}, "BookgDt/DtTm is no date and time"),
    ],
)
def test_an_error_names_the_field(changed: dict[str, str], reason: str) -> None:
    assert reason in error(camt(ntry(**changed)))
