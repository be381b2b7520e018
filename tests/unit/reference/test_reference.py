"""The reference model itself: what it is compared with must be right first."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOON, Log, authorization, entry, setting, settings
from tests.reference.binary import encode
from tests.reference.compare import DeadLetter, compare
from tests.reference.model import REASON, Alert, Expected, expect, raised

LONGS = st.integers(-(2**63), 2**63 - 1)
AMOUNTS = st.integers(1, 2**63 - 1)


def log(*wanted: dict[str, Any], time: int = NOON, **fields: Any) -> Log:
    """Topics with one account, its customer and what they asked for."""
    topics = Log()
    topics.authorize(time, "a1", "c1")
    topics.ask(time, settings("c1", *wanted, **fields))
    return topics


def addresses(expected: Expected) -> list[tuple[str, str, str, str]]:
    """Alerts that must be, in short."""
    return sorted((a.entry_id, a.customer_id, a.channel, a.address) for a in expected.certain)


@pytest.mark.parametrize(
    ("alert_type", "threshold", "fields", "right"),
    [
        ("BALANCE_BELOW", 9600, {}, True),
        ("BALANCE_BELOW", 9500, {}, False),
        ("BALANCE_BELOW", 10500, {}, True),
        ("BALANCE_BELOW", 10501, {}, False),
        ("BALANCE_BELOW", 9501, {"credit_debit": "CRDT"}, False),
        ("BALANCE_BELOW", 0, {"balance_minor": -1, "amount_minor": 1}, True),
        ("BALANCE_BELOW", -500, {"balance_minor": -501, "amount_minor": 1}, True),
        ("BALANCE_ABOVE", 9499, {"credit_debit": "CRDT"}, True),
        ("BALANCE_ABOVE", 9500, {"credit_debit": "CRDT"}, False),
        ("BALANCE_ABOVE", 8500, {"credit_debit": "CRDT"}, True),
        ("BALANCE_ABOVE", 8499, {"credit_debit": "CRDT"}, False),
        ("BALANCE_ABOVE", 0, {}, False),
        ("CREDITED_ABOVE", 999, {"credit_debit": "CRDT"}, True),
        ("CREDITED_ABOVE", 1000, {"credit_debit": "CRDT"}, False),
        ("CREDITED_ABOVE", 0, {}, False),
        ("DEBITED_ABOVE", -5, {}, True),
        ("DEBITED_ABOVE", 1000, {}, False),
        ("DEBITED_ABOVE", 0, {"credit_debit": "CRDT"}, False),
        ("NEWER_TYPE", 0, {}, False),
    ],
)
def test_when_a_setting_is_raised(
    alert_type: str, threshold: int, fields: dict[str, Any], right: bool
) -> None:
    assert raised(setting(alert_type=alert_type, threshold_minor=threshold), entry(**fields)) is right


@given(balance=LONGS, amount=AMOUNTS, threshold=LONGS, credit=st.booleans())
def test_a_booking_never_crosses_in_both_directions(
    balance: int, amount: int, threshold: int, credit: bool
) -> None:
    booking = entry(balance_minor=balance, amount_minor=amount, credit_debit="CRDT" if credit else "DBIT")
    above, below = (
        raised(setting(alert_type=name, threshold_minor=threshold), booking)
        for name in ("BALANCE_ABOVE", "BALANCE_BELOW")
    )
    assert not (above and below)
    assert not (above and not credit)
    assert not (below and credit)


def test_one_alert_for_each_channel_and_address_named_once_or_twice() -> None:
    topics = log(
        setting(channels=["EMAIL", "EMAIL", "SMS", "PUSH"]),
        addresses=[
            {"channel": "EMAIL", "address": "one"},
            {"channel": "EMAIL", "address": "one"},
            {"channel": "EMAIL", "address": "two"},
            {"channel": "SMS", "address": "three"},
        ],
    )
    topics.book(NOON + 1000, entry())
    assert addresses(expect(topics.records)) == [
        ("e1", "c1", "EMAIL", "one"),
        ("e1", "c1", "EMAIL", "two"),
        ("e1", "c1", "SMS", "three"),
    ]


@pytest.mark.parametrize(
    "wanted",
    [setting(account_id="a2"), setting(currency="CZK"), setting(threshold_minor=1000)],
    ids=["other account", "other currency", "not raised"],
)
def test_a_setting_counts_for_its_own_account_and_currency(wanted: dict[str, Any]) -> None:
    topics = log(wanted)
    topics.book(NOON + 1000, entry())
    assert not expect(topics.records).alerts


def test_nobody_without_authorization_is_told() -> None:
    topics = log(setting())
    topics.ask(NOON, settings("c2", setting()))
    topics.book(NOON + 1000, entry())
    assert addresses(expect(topics.records)) == [("e1", "c1", "EMAIL", "c1@example.com")]


@pytest.mark.parametrize(
    ("after", "outcomes"),
    [(-1, [True]), (0, [False, True]), (999, [False, True]), (1000, [False]), (5000, [False])],
)
@pytest.mark.parametrize("change", ["withdrawn", "tombstone", "setting gone", "customer gone"])
def test_a_change_counts_after_a_second_and_never_before(
    change: str, after: int, outcomes: list[bool]
) -> None:
    topics = log(setting())
    at = NOON + 10_000
    match change:
        case "withdrawn":
            topics.authorize(at, "a1", "c2")
        case "tombstone":
            topics.put(topics.topics.authorizations, at, b"a1", None)
        case "setting gone":
            topics.ask(at, settings("c1"))
        case "customer gone":
            topics.put(topics.topics.settings, at, b"c1", None)
    topics.book(at + after, entry())
    found = expect(topics.records).alerts.get(("e1", "c1"), {frozenset()})
    assert sorted(bool(outcome) for outcome in found) == outcomes


def test_a_changed_setting_leaves_no_gap() -> None:
    topics = log(setting())
    topics.ask(NOON + 5000, settings("c1", setting(threshold_minor=1)))
    topics.book(NOON + 5500, entry())
    outcomes = expect(topics.records).alerts["e1", "c1"]
    assert {dict(alert.params)["threshold_minor"] for one in outcomes for alert in one} == {"0", "1"}
    assert all(len(outcome) == 1 for outcome in outcomes)


@given(cut=st.integers(0, 200))
def test_no_part_of_a_booking_is_a_booking(cut: int) -> None:
    whole = encode("AccountEntry", entry())
    topics = log(setting())
    topics.put(topics.topics.entries, NOON + 2000, b"a1", whole[: cut % len(whole)])
    topics.book(NOON + 2000, entry("e2"))
    expected = expect(topics.records)
    assert list(expected.dead_letters) == [("account-entries", 0, 0)]
    assert [place for place, _ in expected.alerts.items()] == [("e2", "c1")]


@given(tail=st.binary(min_size=1, max_size=50))
def test_nothing_may_follow_a_booking(tail: bytes) -> None:
    topics = log(setting())
    topics.put(topics.topics.entries, NOON + 2000, b"a1", encode("AccountEntry", entry()) + tail)
    assert len(expect(topics.records).dead_letters) == 1


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        (b"a2", {}),
        (None, {}),
        (b"", {"account_id": ""}),
        (b"a1", {"entry_id": ""}),
        (b"a1", {"amount_minor": 0}),
        (b"a1", {"amount_minor": -1}),
        (b"a1", {"credit_debit": "crdt"}),
        (b"a1", {"entry_type": "CHEQUE"}),
        (b"a1", {"currency": "EURO"}),
        (b"a1", {"currency": "eur"}),
        (b"a1", {"currency": "ZZZ"}),
    ],
)
def test_bookings_that_break_the_rules(key: bytes | None, fields: dict[str, Any]) -> None:
    topics = log(setting())
    record = topics.put(topics.topics.entries, NOON + 2000, key, encode("AccountEntry", entry(**fields)))
    expected = expect(topics.records)
    assert expected.dead_letters == {record.source: record}
    assert not expected.alerts


@pytest.mark.parametrize(
    ("broken", "dead"),
    [
        (setting("bad", threshold_minor=None), True),
        (setting("bad", channels=["EMAIL", "FAX"]), True),
        (setting("bad", alert_type="TRANSACTION_COUNT", count=3), True),
        (setting("bad", alert_type="TRANSACTION_COUNT", window_minutes=3), True),
        (setting("bad", alert_type="NEWER_TYPE", threshold_minor=None), False),
    ],
)
def test_an_invalid_setting_spoils_no_other(broken: dict[str, Any], dead: bool) -> None:
    topics = log(broken, setting("good"))
    topics.book(NOON + 2000, entry())
    expected = expect(topics.records)
    assert [alert.setting_id for alert in expected.certain] == ["good"]
    assert list(expected.skipped_settings.values()) == ([{"bad"}] if dead else [])
    assert bool(expected.dead_letters) is dead


@pytest.mark.parametrize("value", [b"", b"\0garbage", b"\xff" * 12])
def test_an_undecodable_change_leaves_the_last_good_one(value: bytes) -> None:
    topics = log(setting())
    topics.put(topics.topics.settings, NOON + 1, b"c1", value)
    topics.put(topics.topics.authorizations, NOON + 1, b"a1", value)
    topics.book(NOON + 2000, entry())
    expected = expect(topics.records)
    assert len(expected.certain) == 1
    assert len(expected.dead_letters) == 2


@given(seed=st.integers(0, 1000))
def test_the_order_in_which_topics_were_read_does_not_matter(seed: int) -> None:
    topics = log(setting())
    topics.authorize(NOON + 3000, "a1", "c1", "c2")
    topics.ask(NOON + 2500, settings("c2", setting()))
    for number in range(8):
        topics.book(NOON + number * 700, entry(f"e{number}"))
    shuffled = random.Random(seed).sample(topics.records, len(topics.records))
    assert expect(shuffled) == expect(topics.records)


def _found(alert: Alert, alert_id: str, **fields: str) -> tuple[str, dict[str, Any]]:
    values = {name: getattr(alert, name) for name in Alert.__dataclass_fields__}
    reasons = [dict(zip(REASON, each, strict=True)) for each in alert.reasons]
    values |= {"params": dict(alert.params), "reasons": reasons}
    record = values | {"alert_id": alert_id, "raised_at": 0} | fields
    return alert.channel, record


def test_the_comparison_finds_every_kind_of_difference() -> None:
    topics = log(setting(channels=["EMAIL", "PUSH"]))
    topics.book(NOON + 2000, entry())
    broken = topics.put(topics.topics.entries, NOON + 2000, b"a1", b"")
    expected = expect(topics.records)
    email, push = sorted(expected.certain, key=lambda alert: alert.channel)
    letter = DeadLetter(broken.source, b"a1", b"", "empty")
    right = [_found(email, "1"), _found(push, "2")]

    assert not compare(expected, right, [letter])
    assert not compare(expected, right + right, [letter, letter])
    assert compare(expected, right[:1], [letter]).missing == [push]
    assert compare(expected, [*right, _found(push, "3", customer_id="c2")], [letter]).unexpected
    assert compare(expected, [*right, _found(push, "3")], [letter]).ids
    assert compare(expected, [_found(email, "1"), _found(push, "1")], [letter]).ids
    assert compare(expected, [("SMS", right[0][1]), right[1]], [letter]).channels
    assert compare(expected, right, []).dead_letters
    assert compare(expected, right, [DeadLetter(broken.source, b"a1", b"x", "empty")]).dead_letters
    other = DeadLetter(("account-entries", 0, 0), b"a1", b"", "empty")
    assert compare(expected, right, [letter, other]).dead_letters


def test_alerts_of_neither_the_old_nor_the_new_rules_are_found() -> None:
    topics = log(setting("old"))
    topics.ask(NOON + 5000, settings("c1", setting("new")))
    topics.book(NOON + 5500, entry())
    expected = expect(topics.records)
    old, new = (next(iter(outcome)) for outcome in expected.alerts["e1", "c1"])
    assert not compare(expected, [_found(old, "1")])
    assert not compare(expected, [_found(new, "1")])
    assert compare(expected, [_found(old, "1"), _found(new, "2")]).mixed
    assert compare(expected, []).mixed


def test_a_record_of_another_account_is_no_authorization() -> None:
    topics = log(setting())
    value = encode("AccountAuthorization", authorization("a2", "c1"))
    record = topics.put(topics.topics.authorizations, NOON + 1, b"a1", value)
    assert list(expect(topics.records).dead_letters) == [record.source]
