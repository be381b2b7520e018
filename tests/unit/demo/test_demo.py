"""The demo's summary: what it says must be what came, to the topics and to the customers."""

import io
import time
from typing import Any

from account_alerts.model.alerts import Channel
from demo.report import print_summary, summary
from demo.watch import Watch
from devenv.fake_gateways.received import Item
from operations.tail import Arrival


def _alert(entry_id: str, channel: str = "EMAIL", **fields: object) -> dict[str, object]:
    return {
        "alert_id": f"{entry_id}-{channel}",
        "entry_id": entry_id,
        "customer_id": "c1",
        "setting_id": "s1",
        "channel": channel,
        "alert_type": "DEBITED_ABOVE",
        "account_id": "123456789",
        "currency": "EUR",
        "language": "en",
        "booked_at": 1000,
        "raised_at": 1001,
        "params": {"amount_minor": "1", "balance_minor": "2", "threshold_minor": "0"},
        **fields,
    }


def _item(key: str, arrived_at: int, channel: str = "mail") -> Item:
    return Item(channel, key, "anna@example.com", "", "", arrived_at)


def _watch(*bookings: str, channel: str = "EMAIL") -> Watch:
    watch = Watch({(booking, "c1", "s1", channel) for booking in bookings}, {"c1": 2}, started=0)
    for booking in bookings:
        watch.put[booking] = 1000
        watch.note_booking({"entry_id": booking}, 1005)
        watch.steady.add(booking)
    for each in Channel:
        watch.note_messages(each, [])
    return watch


def _stage(watch: Watch, name: str) -> dict[str, object]:
    [found] = [stage for stage in summary(watch)["stages"] if stage["stage"] == name]
    return dict(found)


def _printed(report: dict[str, Any]) -> str:
    out = io.StringIO()
    print_summary(report, out)
    return out.getvalue()


def test_all_came() -> None:
    watch = _watch("e1", "e2")
    assert watch.note_alert(_alert("e1"), 1015)
    assert not watch.alerts_complete()
    assert watch.note_alert(_alert("e2"), 1025)
    assert watch.alerts_complete()
    watch.note_messages("EMAIL", [_item("e1-EMAIL", 1030)])
    assert not watch.complete()
    watch.note_messages("EMAIL", [_item("e1-EMAIL", 1030), _item("e2-EMAIL", 1040)])
    assert watch.complete()
    report = summary(watch)
    assert (report["bookings"], report["alerts"], report["missing"], report["unexpected"]) == (2, 2, 0, 0)
    assert report["messages"] == {"EMAIL": 2, "SMS": 0, "PUSH": 0}
    assert report["seconds_to_first_alert"] == 1.0
    assert _stage(watch, "queue → account-entries")["milliseconds"] == {"p50": 5, "p95": 5, "p99": 5}
    assert _stage(watch, "account-entries → outbound-*")["milliseconds"] == {"p50": 15, "p95": 20, "p99": 20}
    assert _stage(watch, "outbound-email → mailbox")["milliseconds"] == {"p50": 15, "p95": 15, "p99": 15}
    assert _stage(watch, "queue → customer")["count"] == 2
    assert "DEBITED_ABOVE" in _printed(report)


def test_a_push_for_each_device() -> None:
    watch = _watch("e1", channel="PUSH")
    watch.note_alert(_alert("e1", "PUSH"), 1015)
    watch.note_push(_alert("e1", "PUSH", alert_id="d1"), 1020)
    assert not watch.alerts_complete()
    watch.note_push(_alert("e1", "PUSH", alert_id="d2"), 1021)
    watch.note_push(_alert("e1", "PUSH", alert_id="d2"), 1022)
    assert watch.alerts_complete()
    watch.note_messages("PUSH", [_item("d1", 1030, "push")])
    assert summary(watch)["missing"] == 1
    watch.note_messages("PUSH", [_item("d1", 1030, "push"), _item("d2", 1030, "push")])
    assert watch.complete()
    assert summary(watch)["repeated_on_kafka"] == 1
    assert _stage(watch, "account-entries → push service")["count"] == 2


def test_what_is_missing_unexpected_or_delivered_twice_is_said() -> None:
    watch = _watch("e1", "e2")
    watch.note_alert(_alert("e1"), 1010)
    assert not watch.note_alert(_alert("e1"), 1011)
    watch.note_alert(_alert("e3"), 1010)
    watch.note_messages("EMAIL", [_item("e1-EMAIL", 1030), _item("e1-EMAIL", 1031), _item("other", 1030)])
    report = summary(watch)
    # e2 has no alert, and neither e2's nor e3's message is there; e3 and the other message must not be.
    assert (report["missing"], report["unexpected"], report["repeated_on_kafka"]) == (2, 2, 1)
    assert report["duplicates"] == 1
    assert not watch.complete()


def test_the_summary_is_of_the_steady_part_and_the_warm_up_stands_beside_it() -> None:
    watch = _watch("slow", "quick")
    watch.steady = {"quick"}
    watch.note_alert(_alert("slow"), 9000)
    watch.note_alert(_alert("quick"), 1020)
    watch.note_messages("EMAIL", [_item("slow-EMAIL", 9500), _item("quick-EMAIL", 1050)])
    assert _stage(watch, "queue → customer") == {
        "stage": "queue → customer",
        "count": 1,
        "milliseconds": {"p50": 50, "p95": 50, "p99": 50},
    }
    report = summary(watch)
    assert report["warm_up"]["bookings"] == 1
    [slow] = [stage for stage in report["warm_up"]["stages"] if stage["stage"] == "queue → customer"]
    assert (slow["count"], slow["milliseconds"]["p99"]) == (1, 8500)
    # All of both are checked.
    assert (report["bookings"], report["missing"], watch.complete()) == (2, 0, True)
    printed = _printed(report)
    assert "NOT YET WARM, as the machine is busy: 1 bookings" in printed
    watch.warm = True
    assert "STEADY STATE: 1 bookings" in _printed(summary(watch))
    assert "WARM-UP: the first 1 bookings" in printed


def test_it_is_warm_once_enough_alerts_came_in_time() -> None:
    now = time.time_ns() // 1_000_000
    bookings = [f"e{number}" for number in range(12)]
    watch = _watch(*bookings)
    watch.put = dict.fromkeys(bookings, now - 1000)
    for booking in bookings[:-1]:
        watch.note_alert(_alert(booking), now - 950)
    assert not watch.is_warm(5000, 150)  # One has not come.
    watch.note_alert(_alert(bookings[-1]), now - 500)
    assert not watch.is_warm(5000, 150)  # It came late.
    watch.put[bookings[-1]] = now - 600
    assert watch.is_warm(5000, 150)
    watch.put = dict.fromkeys(bookings, now - 9000)
    assert not watch.is_warm(5000, 150)  # Long ago: that says nothing of now.


def test_nothing_came() -> None:
    report = summary(_watch("e1"))
    assert (report["alerts"], report["missing"]) == (0, 2)
    lines = [line.split() for line in _printed(report).splitlines()]
    assert ["missing", "2"] in lines
    assert ["duplicates", "0"] in lines


def test_a_line_says_when_how_and_what() -> None:
    alert = _alert("e1", booked_at=1_700_000_000_100)
    line = Arrival("email", 1_700_000_000_123, alert).line()
    assert line == ("22:13:20.123 email    23 ms  €0.01 went out (account …6789). Balance €0.02.")
    assert Arrival("email", 1_700_000_000_123, _alert("e1")).milliseconds is None
