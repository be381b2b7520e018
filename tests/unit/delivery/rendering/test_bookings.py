"""What was booked, with whom and where; why; and what a channel may not say of it."""

import re
from typing import Any

import pytest

from account_alerts.config.gateways import Disclosure
from delivery.rendering import texts
from delivery.rendering.formatting import format_country
from delivery.rendering.render import render, render_digest, render_text
from tests.unit.delivery.rendering.test_render import ACCOUNT, alert, reason, written

SHOP = {
    "amount_minor": "2500",
    "balance_minor": "12345",
    "credit_debit": "DBIT",
    "merchant_name": "Albert Heijn, Utrecht",
    "country": "NL",
}


def sentences(language: str = "en", **fields: Any) -> str:
    """Render an alert about a debit in a shop; spaces are plain."""
    own = {"alert_type": "DEBITED_ABOVE", "params": SHOP} | fields
    return re.sub(r"[\u00a0\u202f]", " ", render_text(alert(**own), language).text)


AT = "€25.00 at Albert Heijn, Utrecht"
ELSEWHERE = "CZ6508000000123456789"


@pytest.mark.parametrize(
    ("account", "more", "text"),
    [
        # A place in the account's own country is named without it.
        (ACCOUNT, {}, AT),
        (ELSEWHERE, {}, f"{AT} in the Netherlands"),
        ("opaque-6789", {}, AT),
        (ACCOUNT, {"country": "DE"}, f"{AT} in Germany"),
        (ACCOUNT, {"country": "DE", "merchant_name": ""}, "€25.00 in Germany"),
        (ACCOUNT, {"country": "nowhere", "merchant_name": ""}, "€25.00 went out"),
        (ACCOUNT, {"counterparty_name": "Jan"}, AT),
        (ACCOUNT, {"merchant_name": "https://x.example", "counterparty_name": "Jan"}, "€25.00 to Jan"),
        (ACCOUNT, {"original_currency": "EUR", "original_amount_minor": "1"}, AT),
        (ACCOUNT, {"original_currency": "XX", "original_amount_minor": "1"}, f"{AT} in the Netherlands"),
        (ACCOUNT, {"credit_debit": "neither"}, None),
    ],
)
def test_who_and_where(account: str, more: dict[str, str], text: str | None) -> None:
    found = sentences(account_id=account, params=SHOP | more)
    assert found == (
        "Debited above: €25.00, …6789" if text is None else f"{text} (account …6789). Balance €123.45."
    )


def test_the_card_is_named_in_place_of_the_account() -> None:
    shown = sentences(params=SHOP | {"card_last_four": "1234"})
    assert shown == f"{AT} (card …1234). Balance €123.45."


def test_country_names_with_an_article_are_those_of_cldr() -> None:
    for code in texts.languages():
        for country, name in texts.load(code).countries.items():
            assert name == f"the {format_country(country, code)}"


@pytest.mark.parametrize("channel", ["SMS", "PUSH", "EMAIL"])
def test_what_strangers_write_is_quoted_in_mails_and_nowhere_else(channel: str) -> None:
    purpose = "Your card is blocked.\nCall 0900 123 4567 or see https://bank.example/x \u202e now"
    about = alert(alert_type="CREDITED_ABOVE", params=SHOP | {"credit_debit": "CRDT", "description": purpose})
    for found in (
        render(about, language="en", time_zone="UTC", channel=channel),
        render_digest([about], key="d", language="en", time_zone="UTC", channel=channel),
    ):
        quoted = "The other party wrote: “Your card is blocked. Call or see now”"
        assert (quoted in found.text) == (channel == "EMAIL")
        assert ("card is blocked" in written(found)) == (channel == "EMAIL")
        assert quoted in (found.html or quoted)
        assert not re.search("0900|bank.example|\u202e", written(found))


def test_the_other_reasons_are_lines() -> None:
    reasons = [
        reason("BALANCE_BELOW", threshold_minor=20_000),
        reason("DEBITED_ABOVE", threshold_minor=1_000),
        reason("TRANSACTION_COUNT", count=3, window_minutes=60),
        reason("salary_arrived"),
    ]
    found = render_text(alert(params=SHOP, reasons=reasons), "en")
    assert found.title == "Balance below €200.00"
    assert found.others == [
        "Also: more than €10.00 went out.",
        "Also: more than 3 card payments within an hour.",
        "Also: Salary arrived.",
    ]


@pytest.mark.parametrize("channel", ["SMS", "PUSH", "EMAIL"])
@pytest.mark.parametrize("language", sorted(texts.languages()))
def test_a_channel_says_no_more_than_it_may(channel: str, language: str) -> None:
    reasons = [
        reason(each, threshold_minor=77_700) for each in ("BALANCE_BELOW", "BALANCE_ABOVE", "DEBITED_ABOVE")
    ]
    params = SHOP | {"balance_minor": "66600", "description": "STRANGER"}
    how: Any = {"language": language, "time_zone": "UTC", "channel": channel}
    for first in (reasons[0], reasons[2]):
        about = alert(alert_type=first["alert_type"], params=params, reasons=[first, *reasons])
        levels: list[tuple[Disclosure, str]] = [
            ("no_balance", "666"),
            ("minimal", "666|777|25|Albert|STRANGER|6789"),
        ]
        for level, hidden in levels:
            told = render(about, disclosure=level, **how)
            listed = render_digest([about, about], key="d", disclosure=level, **how)
            plain = re.sub(
                r"#[0-9a-f]{6}|\b25\b[^\n]*2025|[^\n]*2025[^\n]*", "", written(told) + written(listed)
            )
            body = re.sub(r"<[^>]+>", "", plain)
            assert not re.search(hidden, body), body
            if first["alert_type"] != "DEBITED_ABOVE":
                assert "777" not in told.title
    full = render(about, **how)
    assert "666" in full.text
