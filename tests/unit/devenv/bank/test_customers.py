"""The sample, money and messages: what the tools say must be right to the cent."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.masking import masked
from account_alerts.model.money import exponent, format_minor, to_major, to_minor
from delivery.rendering.render import render_text
from demo.play import BOOKINGS
from devenv.bank import customers
from operations import booking_files
from tests.builders import entry
from tests.reference.demo_alerts import demo_alerts

ROW = {
    "trans_id": "1",
    "account_id": "2",
    "date": "940131",
    "type": "PRIJEM",
    "operation": "VKLAD",
    "amount": "700.10",
    "balance": "-0.05",
    "k_symbol": "",
    "bank": "",
    "account": "",
}


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.50", "EUR", 1250), ("-0.05", "CZK", -5), ("1250", "JPY", 1250), ("1.250", "KWD", 1250)],
)
def test_minor_units(amount: str, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor
    assert to_major(minor, currency) == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.001", "x", "", "NaN", "Infinity"])
def test_what_is_no_amount(amount: str) -> None:
    with pytest.raises(ValueError, match=r"amount|minor units"):
        to_minor(amount, "EUR")


def test_no_such_currency() -> None:
    with pytest.raises(ValueError, match="ZZZ"):
        to_minor("1", "ZZZ")


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["EUR", "JPY", "KWD", "RSD", "IQD"]))
def test_no_digit_is_lost(minor: int, currency: str) -> None:
    digits = "".join(char for char in format_minor(minor, currency, "en") if char.isdigit())
    assert digits == str(abs(minor)).zfill(exponent(currency) + 1)


@pytest.mark.parametrize(
    ("minor", "currency", "language", "text"),
    [
        (125050, "CZK", "cs", "1\xa0250,50\xa0Kč"),
        (125050, "CZK", "cs-CZ", "1\xa0250,50\xa0Kč"),
        (-125050, "EUR", "de", "-1.250,50\xa0€"),
        (125050, "RSD", "en", "RSD\xa01,250.50"),
        (125050, "JPY", "en-GB", "JP¥125,050"),
        (5, "KWD", "xx-unknown", "KWD\xa00.005"),
    ],
)
def test_amounts_as_they_are_read(minor: int, currency: str, language: str, text: str) -> None:
    assert format_minor(minor, currency, language) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The balance of account …6789 fell below €100.00. It is now -€12.50."),
        ("cs", "Zůstatek na účtu …6789 klesl pod 100,00\xa0€. Nyní činí -12,50\xa0€."),
        ("de-AT", "Der Saldo von Konto …6789 ist unter €\xa0100,00 gefallen: jetzt -€\xa012,50."),
        ("sw", "The balance of account …6789 fell below €100.00. It is now -€12.50."),
    ],
)
def test_what_a_customer_reads(language: str, text: str) -> None:
    params = {"threshold_minor": "10000", "amount_minor": "2000", "balance_minor": "-1250"}
    alert = {
        "alert_type": "BALANCE_BELOW",
        "account_id": "CZ6508000000123456789",
        "setting_id": "s1",
        "currency": "EUR",
        "language": language,
        "params": params,
    }
    assert render_text(alert, language).text == text


@given(st.text(min_size=1))
def test_an_account_is_never_shown_whole(account: str) -> None:
    assert len(masked(account)) - 1 <= min(4, len(account) / 2)


@pytest.mark.parametrize(
    ("fields", "entry_type"),
    [
        ({}, "CASH"),
        ({"type": "VYDAJ", "operation": "VYBER KARTOU"}, "CARD"),
        ({"operation": "", "k_symbol": "UROK"}, "INTEREST"),
        ({"type": "VYDAJ", "operation": "VYBER", "k_symbol": "SLUZBY"}, "FEE"),
        ({"type": "VYDAJ", "operation": "PREVOD NA UCET", "k_symbol": "SIPO"}, "DIRECT_DEBIT"),
        ({"operation": "PREVOD Z UCTU", "k_symbol": "DUCHOD"}, "TRANSFER"),
        ({"operation": ""}, "OTHER"),
    ],
)
def test_entry_types(fields: dict[str, str], entry_type: str) -> None:
    assert booking_files.entry(ROW | fields)["entry_type"] == entry_type


def test_a_row_as_a_booking() -> None:
    record = booking_files.entry(ROW)
    assert (record["amount_minor"], record["balance_minor"], record["credit_debit"]) == (70010, -5, "CRDT")
    day = 759_974_400_000  # 1994-01-31
    assert day <= record["booked_at"] < day + 86_400_000
    assert booking_files.entry(ROW) == record


def test_the_sample_is_what_its_page_says() -> None:
    entries = booking_files.read()
    assert len(entries) == 11_888
    assert len({record["account_id"] for record in entries}) == 300
    assert entries == sorted(entries, key=lambda record: record["booked_at"])
    assert sum(path.stat().st_size for path in (booking_files.BOOKINGS, customers.DISPOSITIONS)) < 300_000


def test_the_demos_alerts_are_those_of_the_reference() -> None:
    expected = demo_alerts()
    assert customers.expected_alerts() == set(expected)
    assert len(set(expected)) == len(expected)
    assert 0.2 < len({booking for booking, *_ in expected}) / BOOKINGS < 0.4
    types = {setting_id.partition("-")[2] for _, _, setting_id, _ in expected}
    assert types == {"balance-above", "balance-below", "credited-above", "debited-above"}


def test_json_lines_are_read_too(tmp_path: Path) -> None:
    import json

    file = tmp_path / "bookings.jsonl"
    file.write_text("\n".join(json.dumps(entry(f"e{time}", booked_at=time)) for time in (3, 1, 2)))
    assert [record["entry_id"] for record in booking_files.read(file)] == ["e1", "e2", "e3"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("x.jsonl", "{", "line 1"),
        ("x.jsonl", "{}\n{}", "booked_at"),
        ("x.csv", "trans_id,date\n1,940101\n", "line 2"),
        ("x.csv", ",".join(ROW) + "\n" + ",".join(ROW.values()).replace("PRIJEM", "?"), "line 2.*KeyError"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(booking_files.BookingFileError, match=told):
        booking_files.read(tmp_path / name)
