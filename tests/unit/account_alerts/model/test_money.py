"""Money is whole minor units, whatever the currency's decimals, and is shown with all of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.money import exponent, format_minor, locale, to_major, to_minor

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "RSD", "XAU"])


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("XAU", 0)])
def test_each_currency_has_its_decimals(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@given(st.integers(-(2**63), 2**63 - 1), CURRENCIES)
def test_nothing_is_lost_between_units(minor: int, currency: str) -> None:
    assert to_minor(to_major(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("12.50", "EUR", 1250), (Decimal("0.001"), "KWD", 1), ("-3", "JPY", -3), ("1e2", "EUR", 10_000)],
)
def test_an_amount_becomes_minor_units(amount: str | Decimal, currency: str, minor: int) -> None:
    assert to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("12.505", "EUR", "not a whole number of minor units"),
        ("0.5", "JPY", "not a whole number of minor units"),
        ("NaN", "EUR", "not a whole number of minor units"),
        ("a", "EUR", "is no amount"),
        ("1", "EURO", "EURO"),
    ],
)
def test_what_is_no_amount_is_an_error(amount: str, currency: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_minor(amount, currency)


def test_a_reader_sees_it_as_their_language_writes_it() -> None:
    assert format_minor(125050, "CZK", "cs") == "1\N{NO-BREAK SPACE}250,50\N{NO-BREAK SPACE}Kč"
    assert format_minor(125050, "EUR", "en") == "€1,250.50"
    assert format_minor(125050, "RSD", "en") == "RSD\N{NO-BREAK SPACE}1,250.50"
    assert format_minor(-125050, "EUR", "en", code=True).replace("\N{NO-BREAK SPACE}", " ") == "-EUR 1,250.50"


@pytest.mark.parametrize(
    ("language", "found"), [("nl-BE", "nl_BE"), ("nl-XQ", "nl"), ("tlh", "en"), ("", "en")]
)
def test_a_language_that_is_not_known_is_english(language: str, found: str) -> None:
    assert str(locale(language)) == found
