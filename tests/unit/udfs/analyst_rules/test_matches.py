"""The alerts of a match of an analyst's rule for one customer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.alerts import Channel
from udfs.alerts import alert_id
from udfs.analyst_rules.matches import make_alerts

IDS = (b"e1", b"c1", b"adhoc:salary_arrived")
EVERYWHERE = [("EMAIL", "anna@example.com"), ("SMS", "+999123"), ("PUSH", "device-1")]


def as_json(addresses: list[tuple[str, str]]) -> str:
    return json.dumps([{"channel": channel, "address": address} for channel, address in addresses])


def reached(channels: str, addresses: list[tuple[str, str]] | None) -> list[tuple[str, str]]:
    """Where alerts go."""
    made = list(make_alerts(*IDS, channels, None if addresses is None else as_json(addresses)))
    assert made, "nobody is passed over without being counted"
    return [(channel, address) for _, channel, address in made if address is not None]


def test_an_alert_has_the_id_of_its_address() -> None:
    assert list(make_alerts(*IDS, "EMAIL", as_json(EVERYWHERE))) == [
        (alert_id(IDS, "EMAIL", "anna@example.com"), "EMAIL", "anna@example.com")
    ]


@pytest.mark.parametrize("place", range(3))
def test_other_matches_have_other_ids(place: int) -> None:
    entry, customer, setting = (b"other" if number == place else each for number, each in enumerate(IDS))
    others = make_alerts(entry, customer, setting, "", as_json(EVERYWHERE))
    assert len({made[0] for made in (*make_alerts(*IDS, "", as_json(EVERYWHERE)), *others)}) == 6


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
    assert [channel for channel, _ in reached(channels, EVERYWHERE)] == expected


def test_a_channel_without_an_address_gives_no_alert() -> None:
    assert reached("SMS", [("EMAIL", "x")]) == []
    assert reached("", [("EMAIL", "x")]) == [("EMAIL", "x")]
    assert reached("", []) == []


def test_one_who_cannot_be_reached_gives_one_row_to_be_counted() -> None:
    assert list(make_alerts(*IDS, "SMS,PUSH", as_json([("EMAIL", "x")]))) == [(None, "SMS", None)]


def test_a_customer_who_is_not_known_gets_no_alert() -> None:
    assert reached("", None) == []


def test_each_address_gets_one_alert_even_if_named_twice() -> None:
    known = [("EMAIL", "x"), ("EMAIL", "y"), ("EMAIL", "x"), ("SMS", "x")]
    assert reached("", known) == [("EMAIL", "x"), ("EMAIL", "y"), ("SMS", "x")]


@given(
    st.lists(st.sampled_from(Channel), unique=True),
    st.lists(st.tuples(st.sampled_from(Channel), st.sampled_from("xyz"))),
)
def test_each_wanted_address_is_reached_once(wanted: list[str], addresses: list[tuple[str, str]]) -> None:
    made = reached(",".join(wanted), addresses)
    assert len(made) == len(set(made))
    assert set(made) == {each for each in addresses if not wanted or each[0] in wanted}
