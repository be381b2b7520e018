"""The demo's summary: what it says of the alerts must be what came."""

import time

from account_alerts.demo import Watch, _note, summary, table
from account_alerts.tail import Arrival


def _arrival(entry_id: str, written_at: int, channel: str = "EMAIL", **fields: object) -> Arrival:
    alert = {
        "entry_id": entry_id,
        "customer_id": "c1",
        "setting_id": "s1",
        "channel": channel,
        "alert_type": "DEBITED_ABOVE",
        "account_id": "123456789",
        "currency": "EUR",
        "language": "en",
        "booked_at": 1000,
        "raised_at": written_at,
        "params": {"amount_minor": "1", "balance_minor": "2", "threshold_minor": "0"},
    }
    return Arrival(channel.lower(), written_at, alert | fields)


def _watch(*bookings: str) -> Watch:
    wanted = {(booking, "c1", "s1", "EMAIL") for booking in bookings}
    return Watch(wanted, time.monotonic(), booked=dict.fromkeys(bookings, 1000))


def test_all_came() -> None:
    watch = _watch("e1", "e2")
    assert _note(watch, _arrival("e1", 1010))
    assert not watch.complete()
    assert _note(watch, _arrival("e2", 1020))
    assert watch.complete()
    report = summary(watch)
    assert (report["bookings"], report["alerts"], report["missing"], report["unexpected"]) == (2, 2, 0, 0)
    assert report["milliseconds"]["p50"] == 15
    assert report["by_channel"] == {"EMAIL": 2}
    assert "DEBITED_ABOVE" in table(report)


def test_what_is_missing_unexpected_or_repeated_is_told() -> None:
    watch = _watch("e1", "e2")
    _note(watch, _arrival("e1", 1010))
    assert not _note(watch, _arrival("e1", 1011))
    _note(watch, _arrival("e3", 1010))
    report = summary(watch)
    assert (report["missing"], report["unexpected"], report["repeated"]) == (1, 1, 1)
    assert not watch.complete()


def test_nothing_came() -> None:
    report = summary(_watch("e1"))
    assert (report["alerts"], report["missing"]) == (0, 1)
    assert table(report)


def test_a_line_says_when_how_and_what() -> None:
    line = _arrival("e1", 1_700_000_000_123, booked_at=1_700_000_000_100).line()
    assert line == ("22:13:20.123 email    23 ms  €0.01 went out of account …6789. The balance is now €0.02.")
    assert _arrival("e1", 1_700_000_000_123).milliseconds is None
