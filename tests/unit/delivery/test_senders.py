"""What senders decide without a database: what a record holds, how fast, which route, which id."""

import asyncio
import json
from typing import Any

import pytest

from account_alerts.records.codec import Codec
from delivery.alert import Delivery, Source, UnusableError, marks_of, read, route_of
from delivery.gateways.base import Outcome, Result
from delivery.ledger.audit import balance_before, cause_of
from delivery.profiles.records import UnusableError as UnusableProfileError
from delivery.profiles.records import read as read_profile
from delivery.rendering.messages import digest_key, message_of
from delivery.worker.flow import Routes, Slots
from tests import builders

ALERT: dict[str, Any] = {
    "alert_id": "0123",
    "customer_id": "c1",
    "channel": "EMAIL",
    "address": "c1@example.com",
    "alert_type": "BALANCE_BELOW",
    "account_id": "NL01BANK0123456789",
    "currency": "EUR",
    "entry_id": "e1",
    "setting_id": "s1",
    "booked_at": builders.NOON,
    "raised_at": builders.NOON,
    "language": "en",
    "params": {"threshold_minor": "10000", "amount_minor": "1000", "balance_minor": "9500"},
}
CODEC = Codec()


def record(**fields: Any) -> Source:
    value = CODEC.encode("OutboundAlert", ALERT | fields, "outbound-email")
    return Source("outbound-email", 0, 7, builders.NOON, b"c1", value)


def delivery(**fields: Any) -> Delivery:
    values: dict[str, Any] = {
        "alert": ALERT,
        "source": record(),
        "route": "EMAIL",
        "attempt": 1,
        "lease_ends": 1.0,
    }
    return Delivery(**(values | fields))


def test_an_alert_is_read() -> None:
    assert read(record(), "EMAIL", CODEC) == ALERT


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (Source("t", 0, 0, 0, None, None), "null"),
        (Source("t", 0, 0, 0, b"k", b""), "Error: "),
        (Source("t", 0, 0, 0, b"k", b"garbage"), "Error: "),
        (record(channel="SMS"), "for SMS among those for EMAIL"),
        (record(alert_id=""), "alert_id is empty"),
        (record(address=""), "address is empty"),
        (record(alert_id="x" * 501), "longer than"),
        (record(setting_id="a\0b"), "NUL"),
    ],
)
def test_what_is_no_alert_says_why(source: Source, reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        read(source, "EMAIL", CODEC)


@pytest.mark.parametrize(
    ("kind", "to", "route"),
    [
        ("FCM", "token", "FCM"),
        ("APNS", "token", "APNS"),
        ("WEB_PUSH", {"endpoint": "https://push.example.com/1"}, "WEB_PUSH:push.example.com"),
        ("WEB_PUSH", json.dumps({"endpoint": "https://push.example.com/2"}), "WEB_PUSH:push.example.com"),
        ("WEB_PUSH", "no subscription", "PUSH"),
    ],
)
def test_each_push_service_may_be_down_by_itself(kind: str, to: object, route: str) -> None:
    address = json.dumps({"device": "d1", "kind": kind, "to": to})
    assert route_of({"channel": "PUSH", "address": address}) == route


def test_mails_and_sms_have_one_route() -> None:
    assert [route_of(ALERT | {"channel": channel}) for channel in ("EMAIL", "SMS")] == ["EMAIL", "SMS"]


def test_what_outcomes_mean() -> None:
    own = delivery(attempt=3)
    taken = marks_of(own, Outcome(Result.HANDED_OVER, reference="r"), 1000, 50)
    assert (taken.state, taken.reference, taken.due_at) == ("handed over", "r", None)
    later = marks_of(own, Outcome(Result.RETRY, reason="busy", retry_after=2.0), 1000, 50)
    assert (later.state, later.due_at, later.attempt) == ("retry", 3000, 3)
    never = marks_of(own, Outcome(Result.REFUSED, reason="no such address"), 1000, 50)
    assert (never.state, never.due_at) == ("refused", None)


def test_a_mark_fits_into_the_ledger() -> None:
    row = marks_of(delivery(), Outcome(Result.RETRY, reason="a\0b" * 400), 1, 1).row()
    assert "\0" not in json.dumps(row)
    assert len(row["reason"]) <= 500


def test_slots_are_waited_for() -> None:
    async def use() -> list[int]:
        slots = Slots(3)
        got = [await slots.take(5)]
        waiting = asyncio.create_task(slots.take(2))
        await asyncio.sleep(0)
        assert not waiting.done()
        slots.release(1)
        got.append(await waiting)
        slots.force(2)
        slots.release(2)
        assert slots.used == 3
        return got

    assert asyncio.run(use()) == [3, 1]


def test_what_is_down_is_probed_less_and_less() -> None:
    clock = [0.0]
    routes = Routes(2.0, lambda: clock[0])
    assert routes.failed("FCM")
    assert not routes.failed("FCM")
    assert routes.down() == ["FCM"]
    probes = []
    for tenth in range(80):
        clock[0] = tenth / 10
        probes += [clock[0]] * len(routes.to_probe())
    assert probes == [0.5, 1.5, 3.5, 5.5, 7.5]
    assert routes.answered("FCM")
    assert not routes.is_down("FCM")


def test_one_message_has_the_alerts_id_and_a_digest_its_own() -> None:
    assert message_of([delivery()], "EMAIL").key == "0123"
    two = [delivery(digest_id="d", alert=ALERT | {"alert_id": number}) for number in ("1", "2")]
    message = message_of(two, "EMAIL")
    assert message.key == digest_key(two[0]) == digest_key(two[1])
    assert digest_key(delivery(digest_id="d", alert=ALERT | {"customer_id": "c2"})) != message.key
    assert digest_key(delivery(digest_id="e")) != message.key


def test_a_profile_is_what_senders_need_of_the_settings() -> None:
    wanted = builders.settings("c1", builders.setting("s1", "a1", snoozed_until=5), quiet_from="22:00")
    key, row = read_profile(b"c1", CODEC.encode("AlertSettings", wanted, "t"), settings=True, decoder=CODEC)
    assert key == "c1"
    assert row["addresses"]["EMAIL"] == ["c1@example.com"]
    assert row["settings"] == {"s1": {"account_id": "a1", "channels": ["EMAIL"], "snoozed_until": 5}}
    assert (row["quiet_from"], row["quiet_to"], row["digest"]) == ("22:00", None, None)
    assert read_profile(b"c1", None, settings=True, decoder=CODEC) == ("c1", None)


@pytest.mark.parametrize(
    ("key", "value"), [(b"c2", None), (b"", b""), (b"c1", b"x"), (b"\xff", None), (b"a\0b", None)]
)
def test_a_broken_profile_is_passed_over(key: bytes, value: bytes | None) -> None:
    good = CODEC.encode("AlertSettings", builders.settings("c1"), "t")
    if key == b"c2":
        value = good
    with pytest.raises(UnusableProfileError):
        read_profile(key, value, settings=True, decoder=CODEC)


def test_why_tells_the_booking_and_masks_the_account() -> None:
    told = cause_of(ALERT)
    assert told["balance_before_minor"] == 10_500
    assert told["threshold_minor"] == 10_000
    assert told["account_id"] == "…6789"


@pytest.mark.parametrize(
    ("alert_type", "before"),
    [
        ("BALANCE_ABOVE", 90),
        ("CREDITED_ABOVE", 90),
        ("BALANCE_BELOW", 110),
        ("DEBITED_ABOVE", 110),
        ("salary", None),
    ],
)
def test_the_balance_before(alert_type: str, before: int | None) -> None:
    assert balance_before(alert_type, 100, 10) == before
    assert balance_before(alert_type, None, 10) is None
