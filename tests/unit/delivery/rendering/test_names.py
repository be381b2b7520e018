"""Names that strangers wrote: no link, no number to call, nothing hidden, no letter torn; the rest stays."""

import re
import time
import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from delivery.rendering.formatting import PUSH_STYLE, SMS_STYLE, Style
from delivery.rendering.names import MOST_DIGITS, clean_name
from delivery.rendering.values import alert_values, booking_sentence, quote
from tests.unit.delivery.alerts import ALERT

PIECES = (
    *(
        "https://",
        "www.",
        "evil",
        ".com",
        ".",
        "/x",
        "@",
        "0800",
        " ",
        "5",
        "-",
        "+49",
        "(0)",
        "Ünal",
        "٠٨٠٠",
    ),
    *(
        "\u200b",
        "\u200d",
        "\u200c",
        "\u202e",
        "\u2066",
        "\u00ad",
        "\n",
        "\0",
        "e\u0301",
        "👨‍👩‍👧",
        "🇩🇪",
        "می‌خواهم",
        "ｗｗｗ．",
    ),
    *("\u3164", "\u2800", "\ufe0f", "\U000e0041", "\ud800", "①②③④⑤", "𝟎𝟖𝟎𝟎", "。", "ﷺ", "क्षि", "各"),
)
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Albert Heijn 1234, Utrecht", "Albert Heijn 1234, Utrecht"),
        ("Häagen-Dazs® & Co.", "Häagen-Dazs® & Co."),
        ("7-Eleven 24/7", "7-Eleven 24/7"),
        ("株式会社ヤマト", "株式会社ヤマト"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Team 👨‍👩‍👧 🇩🇪", "Team 👨‍👩‍👧 🇩🇪"),
        ("  two\tlines\r\nand \0 more ", "two lines and more"),
        ("Booking.com", "Booking com"),
        ("Your card is blocked, call +49 (0) 209 2233445", "Your card is blocked, call"),
        ("Help: 0 8 0 0 / 1 2 3 4", "Help"),
        ("Call ٠٨٠٠١٢٣٤٥٦ now", "Call now"),
        ("Dial ①②③④⑤ or 𝟎𝟖𝟎𝟎𝟏", "Dial or"),
        ("go to https://evil.example/x now", "go to now"),
        ("ｈｔｔｐｓ：／／evil.example", ""),
        ("e\u200bvil.example/pay", ""),
        ("ev\u00adil\u202e.example", "evil example"),
        ("pay at 1.2.3.4 now", "pay at now"),
        ("pay at 1.2.3.4:80 or １.２.３.４", "pay at or"),
        ("v1.2.3 of 24.12.", "v1.2.3 of 24.12."),
        ("mail a.b@evil.example please", "mail please"),
        ("\u202egnp.tiurtsluA\u202c", "gnp tiurtsluA"),
        ("ba\u200dnk\u200c", "bank"),
        ("\ud800", ""),
    ],
)
def test_names(written: str, shown: str) -> None:
    assert clean_name(written, 80) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("abcdefghij", "abcdefghij"),
        ("abcdefghijk", "abcdefghi…"),
        ("abcdefgh ijk", "abcdefgh…"),
        ("1234 abc x\u0338y", "1234 abc…"),
        ("abcd 👨‍👩‍👧", "abcd 👨‍👩‍👧"),
        ("abcdefg 👨‍👩‍👧", "abcdefg…"),
        ("x" + "\u0300" * 20, ""),
    ],
)
def test_a_long_name_ends_after_a_whole_letter(written: str, shown: str) -> None:
    assert clean_name(written, 10) == shown


@example("a" * 2_000, 40)
@given(HOSTILE | st.text(), st.integers(1, 60))
def test_any_name_is_harmless(written: str, most: int) -> None:
    shown = clean_name(written, most)
    assert len(shown) <= most
    assert shown == shown.strip()
    for letter in shown:
        assert letter in "\u200c\u200d" or unicodedata.category(letter)[0] not in "C", ascii(letter)
        assert unicodedata.category(letter) not in ("Zl", "Zp")
    assert not re.search(rf"\d(?:[\W_]*\d){{{MOST_DIGITS}}}", shown)
    assert not re.search(r"(?i)://|www\.|[^\s.]\.[a-z]{2}", shown)


@given(HOSTILE | st.text(), st.integers(2, 60))
def test_a_cut_name_is_the_beginning_of_the_whole_one(written: str, most: int) -> None:
    whole, shown = clean_name(written, 10_000), clean_name(written, most)
    if shown != whole:
        graphemes, kept = (
            [grapheme.rstrip("\u200c\u200d") for grapheme in regex.findall(r"\X", text)]
            for text in (whole, shown.removesuffix("…"))
        )
        assert kept == graphemes[: len(kept)]


@given(HOSTILE | st.text())
def test_a_clean_name_stays_as_it_is(written: str) -> None:
    shown = clean_name(written, 10_000)
    assert clean_name(shown, 10_000) == shown


@pytest.mark.parametrize("piece", ["a.", "1.", "a@", "a.b", "http:", "\u200d", "1 ", "(", "e\u0301"])
def test_a_name_of_a_megabyte_costs_no_time(piece: str) -> None:
    began = time.thread_time()
    clean_name(piece * 500_000, 40)
    assert time.thread_time() - began < 1


_WRITTEN = (
    *("merchant_name", "counterparty_name", "counterparty", "description", "product", "country"),
    *("card_last_four", "merchant_category", "original_currency"),
)
"""What an alert brings along that the bank did not write."""


@pytest.mark.parametrize("style", [Style(), SMS_STYLE, PUSH_STYLE])
@pytest.mark.parametrize("name", _WRITTEN)
def test_whatever_field_a_stranger_fills_no_channel_shows_a_link_a_number_or_hidden_letters(
    name: str, style: Style
) -> None:
    written = "Blocked: https://evil.example 0800 123456 \u202egnp\u200b 1.2.3.4"
    params = {**ALERT["params"], "credit_debit": "DBIT", "original_amount_minor": "5", name: written}
    alert = {**ALERT, "params": params}
    values = alert_values(alert, "en", style)
    sentence = booking_sentence(alert, values, "en") or ""
    for shown in (*values.values(), sentence, quote(alert)):
        assert not re.search(r"evil|0800|1\.2\.3|[\u202e\u200b]", shown), shown
