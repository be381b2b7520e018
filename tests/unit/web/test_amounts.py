"""Amounts as people type them: what is written is read back, nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.money import exponent, format_minor
from web import texts
from web.amounts import AmountError, Reason, example, parse_amount, type_amount

LANGUAGES = [*texts.names(), "nl-BE", "de-CH", "de-AT", "en-IN", "en-ZA"]
CURRENCIES = ["EUR", "CZK", "JPY", "KWD", "USD", "CHF"]
MINOR = st.integers(-(2**63) + 1, 2**63 - 1)


@given(MINOR, st.sampled_from(CURRENCIES), st.sampled_from(LANGUAGES))
def test_what_a_field_and_a_message_show_is_read_back(minor: int, currency: str, language: str) -> None:
    assert parse_amount(type_amount(minor, currency, language), currency, language) == minor
    assert parse_amount(format_minor(minor, currency, language), currency, language) == minor


@given(
    st.text("0123456789.,' \u00a0-\u2212€", max_size=12),
    st.sampled_from(CURRENCIES),
    st.sampled_from(LANGUAGES),
)
def test_no_digit_is_lost_or_invented(typed: str, currency: str, language: str) -> None:
    try:
        minor = parse_amount(typed, currency, language)
    except AmountError:
        return
    digits = "".join(each for each in typed if each.isdigit())
    # Only zeros after the decimals that were typed are added.
    assert str(abs(minor)).startswith(digits.lstrip("0")[: len(str(abs(minor)))])
    assert len(str(abs(minor))) - len(digits.lstrip("0")) <= exponent(currency)
    assert (minor < 0) <= (typed.strip("€ \u00a0")[:1] in "-\u2212")


@given(st.text(max_size=20).filter(lambda typed: not any(each in "0123456789" for each in typed)))
def test_anything_without_a_digit_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(AmountError) as found:
        parse_amount(typed, "EUR", "en")
    assert found.value.example == "1,000.50"


@pytest.mark.parametrize(
    ("typed", "currency", "language", "minor"),
    [
        ("100", "EUR", "en", 10_000),
        ("1,000.50", "EUR", "en", 100_050),
        ("1 000.5", "EUR", "en", 100_050),
        ("€ 12.50", "EUR", "en", 1_250),
        ("12.50 EUR", "EUR", "en", 1_250),
        ("-€5", "EUR", "en", -500),
        ("1.000,50", "EUR", "de", 100_050),
        ("1.000", "EUR", "nl", 100_000),
        ("1 000,50 Kč", "CZK", "cs", 100_050),
        ("1000,5", "CZK", "cs", 100_050),
        ("1\u2019000.50", "CHF", "de-CH", 100_050),
        ("1'000.50", "CHF", "de-CH", 100_050),
        ("12,34,567", "EUR", "en-IN", 123_456_700),
        ("1.250", "KWD", "en", 1_250),
        ("5000", "JPY", "en", 5_000),
    ],
)
def test_amounts_of_each_language(typed: str, currency: str, language: str, minor: int) -> None:
    assert parse_amount(typed, currency, language) == minor


@pytest.mark.parametrize(
    ("typed", "currency", "language", "reason"),
    [
        ("", "EUR", "en", Reason.MISSING),
        ("  ", "EUR", "en", Reason.MISSING),
        ("1.000,5,0", "EUR", "en", Reason.UNCLEAR),
        ("1,50", "EUR", "en", Reason.UNCLEAR),
        ("1.50", "EUR", "de", Reason.UNCLEAR),
        ("10,00,000", "EUR", "en", Reason.UNCLEAR),
        ("1,0000", "EUR", "en", Reason.UNCLEAR),
        (",500", "EUR", "en", Reason.UNCLEAR),
        (".5", "EUR", "en", Reason.UNCLEAR),
        ("5.", "EUR", "en", Reason.UNCLEAR),
        ("100 USD", "EUR", "en", Reason.UNCLEAR),
        ("$100", "EUR", "en", Reason.UNCLEAR),
        ("€", "EUR", "en", Reason.UNCLEAR),
        ("1e3", "EUR", "en", Reason.UNCLEAR),
        ("--5", "EUR", "en", Reason.UNCLEAR),
        ("٣", "EUR", "en", Reason.UNCLEAR),
        ("NaN", "EUR", "en", Reason.UNCLEAR),
        ("1.000", "EUR", "en", Reason.TOO_FINE),
        ("1,5", "JPY", "de", Reason.TOO_FINE),
        ("99999999999999999999", "EUR", "en", Reason.TOO_LARGE),
        ("9" * 100, "EUR", "en", Reason.UNCLEAR),
    ],
)
def test_what_is_unclear_is_refused(typed: str, currency: str, language: str, reason: Reason) -> None:
    with pytest.raises(AmountError) as found:
        parse_amount(typed, currency, language)
    assert found.value.reason is reason


def test_below_zero_is_refused_where_it_means_nothing() -> None:
    with pytest.raises(AmountError) as found:
        parse_amount("-5", "EUR", "en", negative=False)
    assert found.value.reason is Reason.NEGATIVE


def test_examples_are_the_languages_own() -> None:
    assert [example("EUR", language) for language in ("en", "de", "nl")] == [
        "1,000.50",
        "1.000,50",
        "1.000,50",
    ]
    assert example("CZK", "cs").replace("\u00a0", " ") == "1 000,50"
    assert example("JPY", "en") == "1,000"
