"""How long texts get with the longest names: one SMS, a push that is shown whole, a subject of one line."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from iso4217 import Currency

from delivery.gateways.sms import gsm
from delivery.rendering import texts
from delivery.rendering.render import render, render_digest
from tests.unit.delivery.rendering.test_render import LANGUAGES, TYPES, alert

LONGEST_RULE = "r" * 60
LONGEST_PRODUCTS = ("Ž" * 500, "β" * 500, "👨‍👩‍👧" * 100, "[€]" * 200)
PUSH_TITLE, PUSH_TEXT = 50, 178
"""Characters of a notification that iOS shows on the lock screen; Android shows more."""
SUBJECT = 78
"""RFC 5322, 2.1.1: no line should be longer."""


def longest(alert_type: str, minor: int, currency: str, product: str, span: int = 527_039) -> dict[str, Any]:
    """A window of 365 days, 23 hours and 59 minutes, where not told otherwise."""
    params = dict.fromkeys(("threshold_minor", "amount_minor", "balance_minor"), str(minor))
    params |= {"count": "2147483647", "window_minutes": str(span), "product": product}
    return alert(alert_type=alert_type, currency=currency, params=params)


def sms(about: dict[str, Any], language: str, number: int = 0) -> str:
    how = {"language": language, "time_zone": "Europe/Prague", "channel": "SMS"}
    return (render_digest([about] * number, key="d", **how) if number else render(about, **how)).text


@settings(deadline=None)
@example("APPLICATION_REMINDER", "de", "EUR", 1, LONGEST_PRODUCTS[1], 0)
@given(
    st.sampled_from((*TYPES, LONGEST_RULE)),
    st.sampled_from(LANGUAGES),
    st.sampled_from([currency.code for currency in Currency]),
    st.integers(-10_000_000_000, 10_000_000_000),
    st.sampled_from(LONGEST_PRODUCTS) | st.text(),
    st.sampled_from((0, 1, 2, 5, 1_000)),
)
def test_an_sms_is_one_sms(
    alert_type: str, language: str, currency: str, minor: int, product: str, number: int
) -> None:
    text = sms(longest(alert_type, minor, currency, product), language, number)
    assert len(gsm.split(text).bodies) == 1, text


@pytest.mark.parametrize("language", sorted(texts.languages()))
@pytest.mark.parametrize("alert_type", [*TYPES, LONGEST_RULE])
@pytest.mark.parametrize("product", LONGEST_PRODUCTS)
def test_the_longest_texts(alert_type: str, language: str, product: str) -> None:
    about = longest(alert_type, -10_000_000_000, "EUR", product)
    how = {"language": language, "time_zone": "Europe/Prague"}
    for number in (0, 1, 2, 5, 1_000):
        text = sms(about, language, number)
        assert len(gsm.split(text).bodies) == 1, text
    push, mail = (render(about, channel=channel, **how) for channel in ("PUSH", "EMAIL"))
    assert len(push.title) <= PUSH_TITLE
    assert len(push.text) <= PUSH_TEXT
    assert len(f"Subject: {mail.title}") <= SUBJECT
    for number in (1, 2, 5, 1_000):
        digest = render_digest([about] * number, key="d", channel="PUSH", **how)
        assert len(digest.title) <= PUSH_TITLE
        # At most 4,096 bytes of APNs and FCM; the rest is for the envelope and the data.
        assert len(digest.text.encode()) <= 3_000
