"""Each text in each language, as it was reviewed (golden.txt): a change of wording is a change of that file.

`python -m tests.unit.delivery.rendering.test_golden` writes the file anew.
"""

from collections.abc import Iterator
from pathlib import Path

from account_alerts.model.alerts import AlertType
from delivery.rendering import texts
from delivery.rendering.render import render, render_digest
from tests.unit.delivery.rendering.test_render import alert

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


def lines() -> Iterator[str]:
    """Render each type as push and SMS, and in each language one whole mail and the digests."""
    for language in sorted(texts.languages()):
        about = {"language": language, "time_zone": "Europe/Prague"}
        for alert_type in TYPES:
            one = alert(alert_type=alert_type, params=PARAMS)
            push, sms = (render(one, channel=channel, **about) for channel in ("PUSH", "SMS"))
            yield f"[{language}] {alert_type}: {push.title}"
            yield f"    push: {push.text}"
            yield f"    sms: {sms.text}"
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
