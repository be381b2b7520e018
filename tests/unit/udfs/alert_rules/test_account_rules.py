"""The fold of an account: the same rules, in whatever order its two topics are read."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from udfs.alert_rules.account_rules import AccountRules, from_json, to_json, without_oldest


def wishes(threshold: int) -> dict[str, Any]:
    """One setting with this threshold, for e-mail."""
    setting = {
        "setting_id": "s",
        "alert_type": "CREDITED_ABOVE",
        "currency": "EUR",
        "threshold_minor": threshold,
        "count": None,
        "window_minutes": None,
        "channels": ["EMAIL"],
        "snoozed_until": None,
    }
    address = {"channel": "EMAIL", "address": "someone@example.com"}
    return {"language": "en", "addresses": [address], "settings": [setting]}


def spans(account: AccountRules) -> list[tuple[str, int, int, int | None]]:
    return [
        (rule["customer_id"], rule["threshold_minor"], rule["valid_from"], rule["valid_to"])
        for rule in account.rules()
    ]


def test_a_rule_holds_where_authorization_and_setting_overlap() -> None:
    account = AccountRules()
    account.set_settings(10, "anna", wishes(1))
    account.authorize(20, ["anna", "ben"])
    account.set_settings(30, "anna", wishes(2))
    account.authorize(40, ["ben"])

    assert spans(account) == [("anna", 1, 20, 30), ("anna", 2, 30, 40)]


def test_nothing_changes_when_the_same_is_written_again() -> None:
    account = AccountRules()
    assert account.authorize(1, ["b", "a"])
    assert not account.authorize(2, ["a", "b", "a"])
    assert account.set_settings(3, "a", wishes(1))
    assert not account.set_settings(4, "a", wishes(1))
    assert not AccountRules().authorize(1, [])


def test_a_version_never_begins_before_the_one_it_follows() -> None:
    account = AccountRules()
    account.authorize(100, ["a"])
    account.authorize(90, ["a", "b"])
    account.set_settings(50, "a", wishes(1))

    assert spans(account) == [("a", 1, 100, None)]


def test_ended_versions_are_forgotten_when_no_booking_can_ask_for_them() -> None:
    account = AccountRules()
    account.authorize(1, ["a"])
    account.set_settings(1, "a", wishes(1))
    account.authorize(10, [])
    account.forget(9)
    assert spans(account) == [("a", 1, 1, 10)]
    account.forget(10)
    assert not account.rules()
    account.set_settings(11, "a", {})
    account.forget(11)
    assert account.is_empty()


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("authorized"), st.lists(st.sampled_from("abc"), max_size=3)),
        st.tuples(st.sampled_from("abc"), st.one_of(st.just({}), st.integers(0, 3).map(wishes))),
    ),
    max_size=20,
)


def apply(account: AccountRules, time: int, kind: str, value: Any) -> None:
    if kind == "authorized":
        account.authorize(time, value)
    else:
        account.set_settings(time, kind, value)


@given(CHANGES, st.integers(0, 25))
def test_the_rules_of_any_time_are_what_the_records_said_then(
    changes: list[tuple[str, Any]], time: int
) -> None:
    account = AccountRules()
    authorized: list[str] = []
    wished: dict[str, Any] = {}
    for at, (kind, value) in enumerate(changes):
        apply(account, at, kind, value)
        if at <= time and kind == "authorized":
            authorized = value
        elif at <= time:
            wished[kind] = value

    expected = sorted(
        (customer, setting["threshold_minor"])
        for customer, wish in wished.items()
        if customer in authorized
        for setting in wish.get("settings", [])
    )
    assert expected == sorted(
        (customer, threshold)
        for customer, threshold, valid_from, valid_to in spans(account)
        if valid_from <= time and (valid_to is None or time < valid_to)
    )


@given(CHANGES)
def test_the_order_between_the_topics_does_not_matter(changes: list[tuple[str, Any]]) -> None:
    timed = list(enumerate(changes))
    in_order, topic_by_topic = AccountRules(), AccountRules()
    for time, (kind, value) in timed:
        apply(in_order, time, kind, value)
    for time, (kind, value) in sorted(timed, key=lambda change: change[1][0] == "authorized"):
        apply(topic_by_topic, time, kind, value)

    assert in_order.rules() == topic_by_topic.rules()


@given(CHANGES)
def test_state_survives_being_stored(changes: list[tuple[str, Any]]) -> None:
    account = AccountRules()
    for time, (kind, value) in enumerate(changes):
        apply(account, time, kind, value)

    assert from_json(json.loads(json.dumps(to_json(account)))).rules() == account.rules()


def test_what_others_do_ends_no_rule() -> None:
    account = AccountRules()
    account.set_settings(1, "anna", wishes(1))
    for time in range(10, 100, 10):
        account.authorize(time, ["anna", f"other-{time}"])
    account.authorize(200, ["ben"])
    account.authorize(300, ["anna"])

    assert spans(account) == [("anna", 1, 10, 200), ("anna", 1, 300, None)]


def test_a_long_history_is_cut_at_its_beginning() -> None:
    account = AccountRules()
    account.authorize(1, ["anna"])
    for threshold in range(10):
        account.set_settings(threshold + 2, "anna", wishes(threshold))
    rules = account.rules()
    shorter = without_oldest(rules)

    assert [rule["threshold_minor"] for rule in shorter] == [5, 6, 7, 8, 9]
    while (fewer := without_oldest(shorter)) != shorter:
        shorter = fewer
    assert [rule["valid_to"] for rule in shorter] == [None]
