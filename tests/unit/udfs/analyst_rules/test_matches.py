"""From what an analyst's rule found to its alerts: whom they are for, and what is no hit at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.alerts import Channel
from udfs.alerts import alert_id
from udfs.analyst_rules.matches import build_alerts, read_breaker_reset, read_match, recipients


def hit(**fields: Any) -> Any:
    """A row of rule_hits, for whoever may see the account."""
    return {
        "rule": "salary_arrived",
        "entry_id": "e1",
        "customer_id": "",
        "account_id": "a1",
        "currency": "EUR",
        "amount_minor": 250_000,
        "balance_minor": 300_000,
        "booked_at": 1_750_000_000_000,
        "written_at": 1_750_000_000_100,
        "threshold_minor": None,
        "channels": "",
        "per_minute": 600,
    } | fields


def contact(*addresses: tuple[str, str]) -> dict[str, Any]:
    return {
        "language": "cs",
        "addresses": [{"channel": channel, "address": address} for channel, address in addresses],
    }


EVERYWHERE = contact(("EMAIL", "anna@example.com"), ("SMS", "+999123"), ("PUSH", "device-1"))


def reached(found: Any, known: dict[str, Any] | None) -> list[tuple[str, str]]:
    return [(alert["channel"], alert["address"]) for alert in build_alerts(found, known)]


@pytest.mark.parametrize(
    "fields", [{}, {"customer_id": "c1"}, {"threshold_minor": 5}, {"amount_minor": -(2**63)}, {"more": "x"}]
)
def test_a_hit_is_read_as_it_was_written(fields: dict[str, Any]) -> None:
    assert read_match(json.dumps(hit(**fields)).encode()) == hit(**fields)


def test_a_hit_without_a_threshold_is_one() -> None:
    found = hit()
    del found["threshold_minor"]
    assert read_match(json.dumps(found).encode()) == found


@pytest.mark.parametrize("record", [None, b"", b"null"])
def test_what_a_rule_took_back_is_no_hit(record: bytes | None) -> None:
    assert read_match(record) is None


@pytest.mark.parametrize("name", sorted(hit().keys() - {"threshold_minor"}))
def test_a_hit_that_lacks_a_part_is_none(name: str) -> None:
    lacking = hit()
    del lacking[name]
    assert read_match(json.dumps(lacking).encode()) is None
    assert read_match(json.dumps(hit(**{name: None})).encode()) is None


@pytest.mark.parametrize("name", sorted(hit()))
def test_a_hit_with_a_part_of_another_kind_is_none(name: str) -> None:
    others: list[Any] = [[], {}, 1.5, 5 if isinstance(hit()[name], str) else "5"]
    for other in others:
        assert read_match(json.dumps(hit(**{name: other})).encode()) is None


BROKEN = [
    pytest.param(b"\xff\xfe", id="no UTF-8"),
    pytest.param(b'{"rule": ', id="cut off"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'"text"', id="a text"),
    pytest.param(b"5", id="a number"),
    pytest.param(b"1" * 5000, id="a number of 5000 digits"),
    pytest.param(b"[" * 100_000, id="nested too deep"),
]


@pytest.mark.parametrize("record", BROKEN)
def test_a_broken_record_is_no_hit(record: bytes) -> None:
    assert read_match(record) is None


@pytest.mark.parametrize("name", ["entry_id", "account_id", "customer_id"])
def test_a_text_that_is_no_unicode_is_no_hit(name: str) -> None:
    assert read_match(json.dumps(hit(**{name: "\ud800"})).encode()) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(hit())), inner),
    max_leaves=10,
)


@given(st.one_of(st.binary(max_size=20), JSON.map(lambda value: json.dumps(value).encode())))
def test_no_record_stops_the_reading(record: bytes) -> None:
    read_match(record)
    read_breaker_reset(record, record)


@given(st.dictionaries(st.sampled_from(sorted(hit())), JSON, max_size=3))
def test_what_is_read_as_a_hit_can_become_alerts(other: dict[str, Any]) -> None:
    found = read_match(json.dumps(hit(**other)).encode())
    if found is not None:
        list(build_alerts(found, EVERYWHERE))


def test_what_is_said_of_a_rule_resets_it() -> None:
    assert read_breaker_reset(b"r", b'{"name": "r"}') == "r"
    assert read_breaker_reset(b"r:held", b'{"decided": {"0": 5}}') == "r"


def test_that_it_was_stopped_resets_nothing() -> None:
    assert read_breaker_reset(b"r", None) is None


def test_a_name_that_is_no_text_is_no_rules() -> None:
    assert read_breaker_reset(b"\xff", b"{}") is None


def test_a_hit_is_for_all_who_may_see_the_account_each_once() -> None:
    assert recipients(hit(), ["ben", "anna", "ben"]) == ["anna", "ben"]


@pytest.mark.parametrize("authorized", [None, []])
def test_a_hit_on_an_account_that_nobody_may_see_is_for_nobody(authorized: list[str] | None) -> None:
    assert recipients(hit(), authorized) == []
    assert recipients(hit(customer_id="anna"), authorized) == []


def test_a_customer_whom_the_rule_names_must_be_authorized() -> None:
    assert recipients(hit(customer_id="anna"), ["anna", "ben"]) == ["anna"]
    assert recipients(hit(customer_id="eve"), ["anna", "ben"]) == []


def test_an_alert_says_what_the_hit_and_the_contact_say() -> None:
    [alert] = build_alerts(hit(customer_id="c1", threshold_minor=0), contact(("EMAIL", "anna@example.com")))
    assert alert == {
        "customer_id": "c1",
        "account_id": "a1",
        "currency": "EUR",
        "entry_id": "e1",
        "booked_at": 1_750_000_000_000,
        "written_at": 1_750_000_000_100,
        "per_minute": 600,
        "found_at": 1_750_000_000_100,
        "alert_id": alert_id(b"e1", b"c1", b"adhoc:salary_arrived", "EMAIL", "anna@example.com"),
        "channel": "EMAIL",
        "address": "anna@example.com",
        "alert_type": "salary_arrived",
        "setting_id": "adhoc:salary_arrived",
        "language": "cs",
        "threshold_minor": "0",
        "amount_minor": "250000",
        "balance_minor": "300000",
    }


def test_a_rule_without_a_threshold_gives_none() -> None:
    [alert] = build_alerts(hit(customer_id="c1"), contact(("EMAIL", "x")))
    assert alert["threshold_minor"] == ""


def test_the_same_hit_always_gives_the_same_ids() -> None:
    found = hit(customer_id="c1")
    again = read_match(json.dumps(found | {"written_at": 9, "amount_minor": 1}).encode())
    assert again is not None
    ids = [alert["alert_id"] for alert in build_alerts(found, EVERYWHERE)]
    assert ids == [alert["alert_id"] for alert in build_alerts(again, EVERYWHERE)]
    assert ids == [
        alert_id(b"e1", b"c1", b"adhoc:salary_arrived", address["channel"], address["address"])
        for address in EVERYWHERE["addresses"]
    ]


@pytest.mark.parametrize("name", ["rule", "entry_id", "customer_id"])
def test_other_hits_have_other_ids(name: str) -> None:
    ids = {alert["alert_id"] for alert in build_alerts(hit(customer_id="c1"), EVERYWHERE)}
    others = {
        alert["alert_id"] for alert in build_alerts(hit(**{"customer_id": "c1", name: "other"}), EVERYWHERE)
    }
    assert len(ids) == len(others) == 3
    assert not ids & others


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ("", ["EMAIL", "SMS", "PUSH"]),
        ("EMAIL", ["EMAIL"]),
        ("PUSH,EMAIL", ["PUSH", "EMAIL"]),
        ("SMS,SMS", ["SMS"]),
        ("FAX", []),
    ],
)
def test_alerts_go_to_the_channels_that_the_rule_wants(channels: str, expected: list[str]) -> None:
    assert [channel for channel, _ in reached(hit(channels=channels), EVERYWHERE)] == expected


def test_a_channel_without_an_address_gives_no_alert() -> None:
    assert reached(hit(channels="SMS"), contact(("EMAIL", "x"))) == []
    assert reached(hit(), contact(("EMAIL", "x"))) == [("EMAIL", "x")]
    assert reached(hit(), contact()) == []


def test_a_customer_who_is_not_known_gets_no_alert() -> None:
    assert reached(hit(), None) == []


def test_each_address_gets_one_alert_even_if_named_twice() -> None:
    known = contact(("EMAIL", "x"), ("EMAIL", "y"), ("EMAIL", "x"), ("SMS", "x"))
    assert reached(hit(), known) == [("EMAIL", "x"), ("EMAIL", "y"), ("SMS", "x")]


@given(
    st.lists(st.sampled_from(Channel), unique=True),
    st.lists(st.tuples(st.sampled_from(Channel), st.sampled_from("xyz"))),
)
def test_each_wanted_address_is_reached_once(wanted: list[str], addresses: list[tuple[str, str]]) -> None:
    made = reached(hit(channels=",".join(wanted)), contact(*addresses))
    assert len(made) == len(set(made))
    assert set(made) == {each for each in addresses if not wanted or each[0] in wanted}
