"""How long texts get with the longest names: one SMS, a push that is shown whole, a subject of one line."""

from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from iso4217 import Currency

from account_alerts.config.gateways import Disclosure
from delivery.gateways.sms import gsm
from delivery.rendering import texts
from delivery.rendering.render import render, render_digest
from tests.unit.delivery.rendering.test_render import LANGUAGES, TYPES, alert, reason

LONGEST_RULE = "r" * 60
LONGEST_NAMES = ("Ž" * 500, "β" * 500, "👨‍👩‍👧" * 100, "[€]" * 200)
KINDS = ("", "CRDT", "DBIT", "CRDT-", "DBIT-")
"""Of bookings: none, each direction, and what takes back an earlier one."""
LEVELS: tuple[Disclosure, ...] = get_args(Disclosure)
PUSH_TITLE, PUSH_TEXT = 50, 178
"""Characters of a notification that iOS shows on the lock screen; Android shows more."""
SUBJECT = 78
"""RFC 5322, 2.1.1: no line should be longer."""


def longest(
    alert_type: str, minor: int, currency: str, name: str, kind: str = "CRDT", span: int = 527_039
) -> dict[str, Any]:
    """A window of 365 days, 23 hours and 59 minutes, where not told otherwise, and all reasons there are."""
    params = dict.fromkeys(("threshold_minor", "amount_minor", "balance_minor"), str(minor))
    params |= {"count": "2147483647", "window_minutes": str(span), "product": name}
    if kind:
        params |= {"credit_debit": kind[:4], "merchant_name": name, "counterparty_name": name}
        params |= {"country": "GS", "card_last_four": "1234", "description": name, "counterparty": name}
        params |= {"original_currency": "CLF", "original_amount_minor": str(minor)}
    if kind.endswith("-"):
        params["reversal"] = "true"
    limits: Any = {"threshold_minor": minor, "count": 2**31 - 1, "window_minutes": span}
    reasons = [reason(each, **limits) for each in (alert_type, *TYPES)]
    return alert(alert_type=alert_type, currency=currency, params=params, reasons=reasons)


def sms(about: dict[str, Any], language: str, number: int = 0) -> str:
    how: Any = {"language": language, "time_zone": "Europe/Prague", "channel": "SMS"}
    return (render_digest([about] * number, key="d", **how) if number else render(about, **how)).text


@settings(deadline=None)
@example("APPLICATION_REMINDER", "de", "EUR", 1, LONGEST_NAMES[1], "", 0)
@given(
    st.sampled_from((*TYPES, LONGEST_RULE)),
    st.sampled_from(LANGUAGES),
    st.sampled_from([currency.code for currency in Currency]),
    st.integers(-10_000_000_000, 10_000_000_000),
    st.sampled_from(LONGEST_NAMES) | st.text(),
    st.sampled_from(KINDS),
    st.sampled_from((0, 1, 2, 5, 1_000)),
)
def test_an_sms_is_one_sms(
    alert_type: str, language: str, currency: str, minor: int, name: str, kind: str, number: int
) -> None:
    text = sms(longest(alert_type, minor, currency, name, kind), language, number)
    assert len(gsm.split(text).bodies) == 1, text


@pytest.mark.parametrize("language", sorted(texts.languages()))
@pytest.mark.parametrize("alert_type", [*TYPES, LONGEST_RULE])
@pytest.mark.parametrize(
    ("name", "kind"), [*((name, "DBIT") for name in LONGEST_NAMES), *((LONGEST_NAMES[0], k) for k in KINDS)]
)
def test_the_longest_texts(alert_type: str, language: str, name: str, kind: str) -> None:
    about = longest(alert_type, -10_000_000_000, "EUR", name, kind)
    how: Any = {"language": language, "time_zone": "Europe/Prague"}
    for number in (0, 1, 1_000):
        text = sms(about, language, number)
        assert len(gsm.split(text).bodies) == 1, text
    mail = render(about, channel="EMAIL", **how)
    for level in LEVELS:
        push = render(about, channel="PUSH", disclosure=level, **how)
        assert len(push.title) <= PUSH_TITLE
        assert len(push.text) <= PUSH_TEXT
    assert len(f"Subject: {mail.title}") <= SUBJECT
    for number in (1, 1_000):
        digest = render_digest([about] * number, key="d", channel="PUSH", **how)
        assert len(digest.title) <= PUSH_TITLE
        # At most 4,096 bytes of APNs and FCM; the rest is for the envelope and the data.
        assert len(digest.text.encode()) <= 3_000
