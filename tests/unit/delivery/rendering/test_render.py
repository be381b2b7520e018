"""What customers read: every type in every language, for any amount, and never a whole account number."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from iso4217 import Currency
from lxml import html

from account_alerts.model.money import exponent
from delivery.rendering import texts
from delivery.rendering.render import render, render_digest, render_text

TYPES = (
    "BALANCE_ABOVE",
    "BALANCE_BELOW",
    "CREDITED_ABOVE",
    "DEBITED_ABOVE",
    "TRANSACTION_COUNT",
    "APPLICATION_REMINDER",
    "salary_arrived",
)
LANGUAGES = ("en", "nl", "de", "cs", "nl-BE", "de-CH", "en-GB", "xx", "")
ACCOUNT = "NL02ABNA0123456789"
LONG = st.integers(-(2**63), 2**63 - 1)


def alert(**fields: Any) -> dict[str, Any]:
    return {
        "alert_id": "0123456789abcdef0123456789abcdef",
        "customer_id": "c1",
        "channel": "EMAIL",
        "address": "anna@example.com",
        "alert_type": "BALANCE_BELOW",
        "account_id": ACCOUNT,
        "currency": "EUR",
        "entry_id": "e1",
        "setting_id": "s1",
        "booked_at": 1_764_079_380_000,  # 2025-11-25 14:03 UTC
        "raised_at": 1_764_079_380_100,
        "language": "en",
        "params": {"threshold_minor": "10000", "amount_minor": "2000", "balance_minor": "-1250"},
    } | fields


def reason(alert_type: str, setting_id: str = "s1", **limits: int) -> dict[str, Any]:
    """Make a reason of an alert."""
    own = dict.fromkeys(("threshold_minor", "count", "window_minutes")) | limits
    return {"setting_id": setting_id, "alert_type": alert_type, **own}


def written(message: Any) -> str:
    return f"{message.title}\n{message.text}\n{message.html or ''}"


@settings(deadline=None)
@example("BALANCE_ABOVE", "en", "SMS", "EUR", 1, 1, 1, 253_402_297_200_000, "Europe/Amsterdam")
@given(
    st.sampled_from(TYPES),
    st.sampled_from(LANGUAGES),
    st.sampled_from(("EMAIL", "SMS", "PUSH")),
    st.sampled_from([currency.code for currency in Currency]),
    LONG,
    LONG,
    st.integers(0, 10_000),
    st.integers(0, 253_402_300_799_000),
    st.sampled_from(("UTC", "Europe/Amsterdam", "America/St_Johns", "Pacific/Chatham", "no/zone", "..")),
)
def test_every_alert_can_be_read(
    alert_type: str,
    language: str,
    channel: str,
    currency: str,
    amount: int,
    balance: int,
    count: int,
    booked_at: int,
    zone: str,
) -> None:
    params = {
        "threshold_minor": str(balance),
        "amount_minor": str(amount),
        "balance_minor": str(balance),
        "count": str(count),
        "window_minutes": str(count),
        "product": "Home loan",
    }
    about = alert(alert_type=alert_type, currency=currency, params=params, booked_at=booked_at)
    found = render(
        about, language=language, time_zone=zone, channel=channel, unsubscribe="https://x.example/?a&b"
    )
    whole = written(found)
    assert ACCOUNT not in whole
    assert ACCOUNT[:-4] not in whole
    assert "{{" not in whole
    assert "\n" not in found.title
    assert (found.key, found.address, found.customer_id) == (about["alert_id"], about["address"], "c1")
    assert (found.html is not None) == (channel == "EMAIL")
    if alert_type in ("CREDITED_ABOVE", "DEBITED_ABOVE"):
        digits = "".join(re.findall(r"\d", found.text))
        assert str(abs(amount)).zfill(exponent(currency) + 1) in digits


@settings(deadline=None)
# More digits than decimal arithmetic has: once it raised, and no alert was sent.
@example("9" * 40, "DEBITED_ABOVE", ACCOUNT, "EMAIL")
@example("9" * 4_000, "salary_arrived", ACCOUNT, "SMS")
@given(
    st.text() | st.text("0123456789-", min_size=1, max_size=60),
    st.text(),
    st.text(min_size=1),
    st.sampled_from(("EMAIL", "SMS", "PUSH")),
)
def test_what_an_alert_brings_along_stays_text(
    product: str, alert_type: str, account: str, channel: str
) -> None:
    about = alert(
        alert_type=alert_type, account_id=account, params={"product": product, "amount_minor": product}
    )
    found = render(about, language="en", time_zone="UTC", channel=channel)
    assert found.title.translate({0x200C: None, 0x200D: None}).isprintable()
    if found.html is not None:
        page = html.document_fromstring(found.html)
        assert not page.xpath("//script|//img|//b|//iframe")


def test_markup_is_shown_and_not_obeyed() -> None:
    about = alert(
        alert_type="APPLICATION_REMINDER", params={"product": "<script>alert(1)</script>{{ 7 * 7 }}"}
    )
    found = render(about, language="en", time_zone="UTC", channel="EMAIL")
    assert "&lt;script&gt;" in str(found.html)
    assert "<script>" in found.text
    assert "49" not in found.text


@pytest.mark.parametrize(
    ("language", "title", "text", "fact"),
    [
        (
            "en",
            "Balance below €100.00",
            "The balance of account …6789 fell below €100.00. It is now -€12.50.",
            "Booked: Nov 25, 2025, 3:03",
        ),
        (
            "nl-BE",
            "Saldo onder € 100,00",
            "Het saldo van rekening …6789 is gedaald tot onder € 100,00. Het is nu € -12,50.",
            "Geboekt: 25 nov 2025, 15:03 CET",
        ),
        (
            "de",
            "Saldo unter 100,00 €",
            "Der Saldo von Konto …6789 ist unter 100,00 € gefallen: jetzt -12,50 €.",
            "Gebucht: 25.11.2025, 15:03 MEZ",
        ),
        (
            "cs",
            "Zůstatek pod 100,00 €",
            "Zůstatek na účtu …6789 klesl pod 100,00 €. Nyní činí -12,50 €.",
            "Zaúčtováno: 25. 11. 2025, 15:03 SEČ",
        ),
        (
            "xx",
            "Balance below €100.00",
            "The balance of account …6789 fell below €100.00. It is now -€12.50.",
            "Booked: Nov 25, 2025, 3:03",
        ),
    ],
)
def test_a_mail(language: str, title: str, text: str, fact: str) -> None:
    found = render(
        alert(),
        language=language,
        time_zone="Europe/Amsterdam",
        channel="EMAIL",
        unsubscribe="https://bank.example/stop?token=t&x=1",
    )
    plain = re.sub(r"[\u00a0\u202f]", " ", found.text)
    assert re.sub(r"[\u00a0\u202f]", " ", found.title) == title
    assert plain.startswith(text)
    assert fact in plain
    assert "https://bank.example/stop?token=t&x=1" in plain
    assert found.unsubscribe == "https://bank.example/stop?token=t&x=1"
    page = html.document_fromstring(str(found.html))
    assert page.xpath("string(//h1)") == found.title
    assert page.xpath("string(/html/@lang)") == texts.readable(language)
    assert page.xpath("string(//a/@href)") == found.unsubscribe
    assert not page.xpath("//img|//script|//link")
    assert page.xpath("count(//th[@scope='row'])") == page.xpath("count(//th)")


def test_times_are_the_customers_on_both_sides_of_a_change_of_the_clocks() -> None:
    # 2025-10-26: 00:30 UTC is 02:30 in summer time, and an hour later it is 02:30 again.
    shown = [
        render(alert(booked_at=at), language="de", time_zone="Europe/Berlin", channel="EMAIL").text
        for at in (1_761_438_600_000, 1_761_442_200_000)
    ]
    assert "26.10.2025, 02:30 MESZ" in shown[0]
    assert "26.10.2025, 02:30 MEZ" in shown[1]


def test_a_digest_lists_its_alerts_in_order() -> None:
    alerts = [alert(alert_id=f"a{n}", booked_at=1_000_000 * n, alert_type=TYPES[n % 4]) for n in (3, 1, 2)]
    digest = render_digest(alerts, key="d1", language="nl", time_zone="Europe/Amsterdam", channel="EMAIL")
    assert digest.key == "d1"
    assert digest.title == "3 berichten over uw rekeningen"
    headings = [node.text for node in html.document_fromstring(str(digest.html)).iter("h2")]
    assert len(headings) == 3
    assert digest.text.index("onder") < digest.text.index("bijgeschreven") < digest.text.index("afgeschreven")
    for channel in ("SMS", "PUSH"):
        short = render_digest(alerts, key="d1", language="nl", time_zone="UTC", channel=channel)
        assert "afgeschreven" in short.text
        assert short.html is None


def needs(parts: Mapping[str, texts.Wordings]) -> dict[str, list[frozenset[str]]]:
    return {part: [text.needs for text in wordings] for part, wordings in parts.items()}


def test_every_language_has_every_text() -> None:
    wanted = texts.load("en")
    for code in texts.languages():
        own = texts.load(code)
        assert own.types.keys() == wanted.types.keys(), code
        assert own.words.keys() == wanted.words.keys(), code
        for name, parts in wanted.types.items():
            assert needs(own.types[name]) == needs(parts), f"{code} {name}"
        assert needs(own.bookings) == needs(wanted.bookings), code
        assert {name: text.needs for name, text in own.words.items()} == {
            name: text.needs for name, text in wanted.words.items()
        }, code
        counted = [text for text in own.words.values() if "count" in text.needs]
        counted += [
            text
            for parts in own.types.values()
            for wordings in parts.values()
            for text in wordings
            if "count" in text.needs
        ]
        reached = {own.words["days"].category(count) for count in (*range(1_000), 1_000_000)}
        assert all(text.forms.keys() == reached for text in counted), code


def test_the_tail_shows_what_the_message_says() -> None:
    about = alert(language="nl")
    assert render(about, language="nl", time_zone="UTC", channel="PUSH").text == render_text(about, "nl").text


def test_a_known_type_without_its_values_gets_the_general_text() -> None:
    about = alert(alert_type="TRANSACTION_COUNT", params={"amount_minor": "5"})
    found = render(about, language="en", time_zone="UTC", channel="PUSH")
    assert found.text == "Transaction count: €0.05, …6789"


def test_a_reminder_without_account() -> None:
    about = alert(
        alert_type="APPLICATION_REMINDER", account_id="", currency="", params={"product": "Home loan"}
    )
    found = render(about, language="en", time_zone="UTC", channel="EMAIL")
    assert "(Home loan)" in found.text
    assert "Account" not in found.text
