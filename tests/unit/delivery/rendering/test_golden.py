"""Each text in each language, as it was reviewed (golden.txt): a change of wording is a change of that file.

`python -m tests.unit.delivery.rendering.test_golden` writes the file anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from account_alerts.model.alerts import AlertType
from delivery.rendering import texts
from delivery.rendering.render import render, render_digest
from tests.unit.delivery.rendering.test_render import alert, reason

GOLDEN = Path(__file__).parent / "golden.txt"
TYPES = (*AlertType, "salary_arrived")
PARAMS = {
    "threshold_minor": "10000",
    "amount_minor": "123456",
    "balance_minor": "-1250",
    "count": "25",
    "window_minutes": "1440",
    "product": "Home loan",
}
CARD = {
    "amount_minor": "2500",
    "balance_minor": "12345",
    "credit_debit": "DBIT",
    "entry_type": "CARD",
    "merchant_name": "Albert Heijn, Utrecht",
    "country": "NL",
    "card_last_four": "1234",
}
DOLLARS = {"original_currency": "USD", "original_amount_minor": "2000", "amount_minor": "1841"}
TRANSFER = {
    "amount_minor": "120000",
    "balance_minor": "250000",
    "credit_debit": "CRDT",
    "entry_type": "TRANSFER",
    "counterparty": "NL91ABNA0417164300",
    "counterparty_name": "Jan Jansen",
    "description": "Rent for May, see www.example.com or call 0900 1234567",
}
REVERSAL = {"reversal": "true"}


def without(params: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in params.items() if name not in names}


BOOKINGS = {
    "a shop": CARD,
    "a shop abroad": CARD | DOLLARS | {"merchant_name": "Walmart", "country": "US"},
    "abroad": without(CARD, "merchant_name", "card_last_four") | DOLLARS | {"country": "US"},
    "a card alone": without(CARD, "merchant_name", "country"),
    "a transfer out": TRANSFER | {"credit_debit": "DBIT"},
    "a transfer in": TRANSFER,
    "no names": without(TRANSFER, "counterparty_name"),
    "no balance": without(CARD, "balance_minor"),
    "returned": CARD | REVERSAL | {"credit_debit": "CRDT"},
    "returned by nobody": without(TRANSFER, "counterparty_name") | REVERSAL,
    "reversed": TRANSFER | REVERSAL | {"credit_debit": "DBIT"},
    "reversed by nobody": without(TRANSFER, "counterparty_name") | REVERSAL | {"credit_debit": "DBIT"},
}
REASONS = [
    reason("BALANCE_BELOW", threshold_minor=20_000),
    reason("DEBITED_ABOVE", threshold_minor=1_000),
    reason("TRANSACTION_COUNT", count=3, window_minutes=1_440),
]
"""Of a booking in a shop."""


def lines() -> Iterator[str]:
    """Render each type as push and SMS, and in each language one whole mail and the digests."""
    for language in sorted(texts.languages()):
        about: Any = {"language": language, "time_zone": "Europe/Prague"}
        for alert_type in TYPES:
            one = alert(alert_type=alert_type, params=PARAMS)
            push, sms = (render(one, channel=channel, **about) for channel in ("PUSH", "SMS"))
            yield f"[{language}] {alert_type}: {push.title}"
            yield f"    push: {push.text}"
            yield f"    sms: {sms.text}"
        for name, params in BOOKINGS.items():
            alert_type = "CREDITED_ABOVE" if params["credit_debit"] == "CRDT" else "DEBITED_ABOVE"
            one = alert(alert_type=alert_type, params=params)
            push, sms = (render(one, channel=channel, **about) for channel in ("PUSH", "SMS"))
            yield f"[{language}] {name}: {push.title}"
            yield f"    push: {push.text}"
            yield f"    sms: {sms.text}"
        several = alert(params=CARD | {"threshold_minor": "20000"}, reasons=REASONS)
        for level in ("full", "no_balance", "minimal"):
            for channel in ("PUSH", "SMS", "EMAIL"):
                told = render(several, channel=channel, disclosure=level, **about)
                yield from _indented(f"[{language}] several reasons, {level}: {told.title}", told.text)
        told = render(alert(alert_type="CREDITED_ABOVE", params=TRANSFER), channel="EMAIL", **about)
        yield from _indented(f"[{language}] mail with a purpose: {told.title}", told.text)
        mail = render(alert(params=PARAMS), channel="EMAIL", unsubscribe="https://x.example/u", **about)
        yield from _indented(f"[{language}] mail: {mail.title}", mail.text)
        alerts = [alert(alert_type=each, params=PARAMS, alert_id=each) for each in TYPES[:3]]
        for channel in ("EMAIL", "SMS", "PUSH"):
            digest = render_digest(alerts, key="d", channel=channel, **about)
            yield from _indented(f"[{language}] digest by {channel}: {digest.title}", digest.text)


def _indented(heading: str, text: str) -> Iterator[str]:
    yield heading
    yield from (f"    {line}" for line in text.splitlines() if line)


def visible(text: str) -> str:
    """Show spaces that do not break."""
    return text.replace("\u00a0", "␣").replace("\u202f", "␣")


def test_texts_are_as_they_were_reviewed() -> None:
    assert [visible(line) for line in lines()] == GOLDEN.read_text("utf-8").splitlines()


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{visible(line)}\n" for line in lines()), "utf-8")
