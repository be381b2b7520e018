"""Counts, spans of time and money as each language's readers write them."""

import re

import pytest

from delivery.gateways.sms import gsm
from delivery.rendering.render import render_digest, render_text
from tests.unit.delivery.rendering.test_render import alert


@pytest.mark.parametrize(
    ("language", "count", "minutes", "text"),
    [
        ("en", 1, 1_440, "Account …6789: more than 1 card payment within a day."),
        ("en", 0, 60, "Account …6789: more than 0 card payments within an hour."),
        ("en", 1_000, 1, "Account …6789: more than 1,000 card payments within a minute."),
        ("en", 2, 1_501, "Account …6789: more than 2 card payments within a day, an hour, and a minute."),
        ("en", 2, 10_080, "Account …6789: more than 2 card payments within 7 days."),
        ("en", 2, 0, "Account …6789: more than 2 card payments within 0 minutes."),
        ("de", 1, 1_440, "Konto …6789: mehr als 1 Kartenzahlung innerhalb von einem Tag."),
        ("de", 3, 2_880, "Konto …6789: mehr als 3 Kartenzahlungen innerhalb von 2 Tagen."),
        (
            "de-CH",
            1_000,
            90,
            "Konto …6789: mehr als 1’000 Kartenzahlungen innerhalb von einer Stunde und 30 Minuten.",
        ),
        ("nl", 1, 60, "Rekening …6789: meer dan 1 kaartbetaling binnen een uur."),
        ("nl-BE", 2, 180, "Rekening …6789: meer dan 2 kaartbetalingen binnen 3 uur."),
        ("cs", 1, 1_440, "Účet …6789: více než 1 platba kartou za den."),
        ("cs", 3, 120, "Účet …6789: více než 3 platby kartou za 2 hodiny."),
        ("cs", 5, 300, "Účet …6789: více než 5 plateb kartou za 5 hodin."),
    ],
)
def test_counts_and_windows(language: str, count: int, minutes: int, text: str) -> None:
    about = alert(
        alert_type="TRANSACTION_COUNT", params={"count": str(count), "window_minutes": str(minutes)}
    )
    assert render_text(about, language).text == text


@pytest.mark.parametrize(
    ("language", "number", "title"),
    [
        ("en", 1, "1 message about your accounts"),
        ("en", 2, "2 messages about your accounts"),
        ("de", 1, "1 Nachricht zu Ihren Konten"),
        ("de-AT", 1_000, "1.000 Nachrichten zu Ihren Konten"),
        ("nl", 1, "1 bericht over uw rekeningen"),
        ("nl", 21, "21 berichten over uw rekeningen"),
        ("cs", 1, "1 zpráva o Vašich účtech"),
        ("cs", 4, "4 zprávy o Vašich účtech"),
        ("cs", 5, "5 zpráv o Vašich účtech"),
    ],
)
def test_how_many_messages_a_digest_has(language: str, number: int, title: str) -> None:
    for channel in ("EMAIL", "PUSH"):
        digest = render_digest(
            [alert()] * number, key="d", language=language, time_zone="UTC", channel=channel
        )
        assert digest.title == title
    digest = render_digest([alert()] * number, key="d", language=language, time_zone="UTC", channel="SMS")
    assert digest.text.startswith(gsm.simplify(title))
    assert (": " in digest.text[: len(title) + 2]) == (number == 1)


@pytest.mark.parametrize(
    ("language", "currency", "text"),
    [
        ("en-GB", "EUR", "Balance below -€12,345.67"),
        ("en", "JPY", "Balance below -¥1,234,567"),
        ("nl", "KWD", "Saldo onder KWD -1.234,567"),
        ("nl-BE", "EUR", "Saldo onder € -12.345,67"),
        ("de", "USD", "Saldo unter -12.345,67 $"),
        ("de-CH", "CHF", "Saldo unter CHF-12’345.67"),
        ("de-AT", "EUR", "Saldo unter -€ 12.345,67"),
        ("cs", "CZK", "Zůstatek pod -12 345,67 Kč"),
    ],
)
def test_money_is_written_as_readers_write_it(language: str, currency: str, text: str) -> None:
    about = alert(currency=currency, params={"threshold_minor": "-1234567", "balance_minor": "0"})
    assert re.sub(r"[\u00a0\u202f]", " ", render_text(about, language).title) == text
