"""Which events the clicks endpoint accepts, and what it says of others."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.records.codec import Codec
from account_alerts.service.problems import InvalidPart, ProblemError
from ingest.clicks.events import LATEST, parse_events

EVENT: dict[str, Any] = {
    "event_id": "e-1",
    "customer_id": "2",
    "event_type": "APPLICATION_BEGUN",
    "occurred_at": 1_764_000_000_000,
    "application_id": "a-1",
    "product": "LOAN",
    "page": "/loans/apply",
}
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
EVENTS = st.fixed_dictionaries(
    {
        "event_id": IDS,
        "customer_id": IDS.filter(lambda customer: not customer.startswith("!")),
        "event_type": st.sampled_from(["APPLICATION_FINISHED", "APPLICATION_LEFT", "PAGE_VIEWED"]),
        "occurred_at": st.integers(0, LATEST),
        "application_id": IDS,
        "product": st.from_regex(r"[A-Z][A-Z0-9_]{0,39}", fullmatch=True),
    },
    optional={
        "session_id": IDS,
        "page": st.just("/a"),
        "attributes": st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=20),
    },
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([EVENT]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EVENT, "x"]), inner),
    max_leaves=6,
)


def refused(body: bytes) -> list[InvalidPart]:
    with pytest.raises(ProblemError) as caught:
        parse_events(body, 10)
    assert caught.value.status == 422
    assert caught.value.detail.startswith("Nothing was written")
    return list(caught.value.errors)


@given(st.lists(EVENTS, min_size=1, max_size=10))
def test_what_is_taken_is_a_record_as_it_was_sent(events: list[dict[str, Any]]) -> None:
    taken = parse_events(json.dumps(events).encode(), 10)
    assert [{name: value for name, value in event.items() if value is not None} for event in taken] == events
    for event in taken:
        assert Codec().decode("ClickEvent", Codec().encode("ClickEvent", event, "t")) == event


def test_one_event_is_taken_as_a_batch_of_one() -> None:
    assert parse_events(json.dumps(EVENT).encode(), 10) == parse_events(json.dumps([EVENT]).encode(), 10)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *[({name: None}, name) for name in ("event_id", "customer_id", "event_type", "occurred_at")],
        ({"application_id": None}, "application_id"),
        ({"product": None}, "product"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 101}, "event_id"),
        ({"event_id": "a b"}, "event_id"),
        ({"event_id": "a\n"}, "event_id"),
        ({"event_id": 7}, "event_id"),
        ({"customer_id": "\0heartbeat-1"}, "customer_id"),
        ({"event_type": "APPLICATION_STARTED"}, "event_type"),
        ({"occurred_at": -1}, "occurred_at"),
        ({"occurred_at": LATEST + 1}, "occurred_at"),
        ({"occurred_at": 1.5}, "occurred_at"),
        ({"occurred_at": "2026-11-25T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": True}, "occurred_at"),
        ({"product": "loan"}, "product"),
        ({"page": "/loans?iban=NL00"}, "page"),
        ({"page": "https://bank.example/loans"}, "page"),
        ({"attributes": {"a": 1}}, "attributes"),
        ({"attributes": {str(number): "" for number in range(21)}}, "attributes"),
        ({"amount": "1"}, "amount"),
    ],
)
@pytest.mark.parametrize("one", [True, False])
def test_an_error_names_field_and_remedy(change: dict[str, Any], field: str, one: bool) -> None:
    event = {**EVENT, **change}
    [problem] = refused(json.dumps(event if one else [EVENT, event]).encode())
    assert problem.pointer == (f"#/{field}" if one else f"#/1/{field}")
    assert re.fullmatch(r"\S.*\. [A-Z].+\.", problem.detail), "what is wrong, then the remedy"


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"[]", b"7", b"\xff", b'"\\ud800"', b"[" * 100_000])
def test_what_is_no_event_is_refused(body: bytes) -> None:
    [problem] = refused(body)
    assert problem.pointer == "#"
    assert "Send" in problem.detail


def test_too_many_events_are_refused() -> None:
    [problem] = refused(json.dumps([EVENT] * 11).encode())
    assert problem == InvalidPart("#", "There are 11 events. Send 1 to 10 in a request.")


def test_what_was_sent_is_not_repeated() -> None:
    assert "private" not in str(refused(json.dumps({**EVENT, "page": "private"}).encode()))
    attributes = {"private": 1, "x" * 41: "private"}
    assert "private" not in str(refused(json.dumps({**EVENT, "attributes": attributes}).encode()))


def test_a_pointer_is_escaped() -> None:
    [problem] = refused(json.dumps({**EVENT, "a/b~ü": 1}).encode())
    assert problem.pointer == "#/a~1b~0%C3%BC"


def test_of_many_errors_the_first_are_named_and_all_counted() -> None:
    with pytest.raises(ProblemError) as caught:
        parse_events(json.dumps([{**EVENT, "page": ""}] * 30).encode(), 100)
    assert caught.value.detail == "Nothing was written: 30 errors in the request."
    assert [error.pointer for error in caught.value.errors] == [f"#/{number}/page" for number in range(20)]


@given(ANY_JSON)
def test_any_json_is_taken_or_refused(value: Any) -> None:
    taken, problems = None, None
    try:
        taken = parse_events(json.dumps(value).encode(), 10)
    except ProblemError as error:
        problems = error.errors
    assert problems or taken
    for event in taken or ():
        assert {**event, "session_id": None} == {**EVENT, "session_id": None, "attributes": None}
