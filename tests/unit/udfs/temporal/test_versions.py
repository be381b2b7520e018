"""Values that hold from a time on: what held when is what had been said by then."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.temporal.versions import Versions, after, append, as_of, spans

TIMES = st.integers(0, 20)
CHANGES = st.lists(st.tuples(TIMES, st.sampled_from(["a", "b", None])), max_size=15)


def built(changes: list[tuple[int, str | None]]) -> Versions:
    versions: Versions = []
    for since, value in changes:
        append(versions, since, value, None)
    return versions


def test_only_what_is_new_is_added() -> None:
    versions: Versions = []
    assert not append(versions, 1, None, None)
    assert append(versions, 2, "a", None)
    assert not append(versions, 3, "a", None)
    assert append(versions, 4, None, None)
    assert versions == [(2, "a"), (4, None)]


def test_what_is_nothing_is_for_the_caller_to_say() -> None:
    versions: Versions = []
    assert not append(versions, 1, [], [])
    assert append(versions, 2, None, [])
    assert versions == [(2, None)]


def test_a_version_never_begins_before_the_one_it_follows() -> None:
    assert built([(100, "a"), (90, "b"), (110, "c")]) == [(100, "a"), (100, "b"), (110, "c")]


def test_each_version_ends_where_the_next_begins() -> None:
    assert list(spans([])) == []
    assert list(spans([(1, "a")])) == [(1, None, "a")]
    assert list(spans([(1, "a"), (5, "b"), (7, None)])) == [(1, 5, "a"), (5, 7, "b"), (7, None, None)]


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (0, [(1, "a"), (5, "b"), (7, None)]),
        (4, [(1, "a"), (5, "b"), (7, None)]),
        (5, [(5, "b"), (7, None)]),
        (6, [(5, "b"), (7, None)]),
        (7, []),
    ],
)
def test_what_ended_is_forgotten(before: int, kept: Versions) -> None:
    assert after([(1, "a"), (5, "b"), (7, None)], before, None) == kept


def test_the_newest_is_never_forgotten_unless_it_is_nothing() -> None:
    assert after([(1, "a"), (5, "b")], 99, None) == [(5, "b")]
    assert after([(5, None)], 4, None) == [(5, None)]
    assert after([(5, None)], 5, None) == []
    assert after([], 5, None) == []


def test_a_value_holds_from_its_time_on() -> None:
    versions = built([(5, "a"), (7, "b"), (7, "c")])
    assert [as_of(versions, time) for time in (4, 5, 6, 7, 8)] == [None, "a", "a", "c", "c"]
    assert as_of([], 5) is None


@given(CHANGES, TIMES)
def test_what_held_is_what_had_been_said(changes: list[tuple[int, str | None]], time: int) -> None:
    in_order = sorted(changes, key=lambda change: change[0])
    said = [value for since, value in in_order if since <= time]
    assert as_of(built(in_order), time) == (said[-1] if said else None)


@given(CHANGES, TIMES)
def test_what_held_is_the_span_that_the_time_is_in(changes: list[tuple[int, str | None]], time: int) -> None:
    versions = built(changes)
    holding = [
        value for start, end, value in spans(versions) if start <= time and (end is None or time < end)
    ]
    assert [as_of(versions, time)] == (holding or [None])


@given(CHANGES, TIMES, TIMES)
def test_forgetting_changes_nothing_that_is_asked_for_later(
    changes: list[tuple[int, str | None]], before: int, time: int
) -> None:
    versions = built(changes)
    kept = after(versions, before, None)
    assert all(end is None or end > before for _, end, _ in spans(kept))
    assert as_of(kept, before + time) == as_of(versions, before + time)


@given(CHANGES, TIMES)
def test_versions_are_the_same_after_being_stored(changes: list[tuple[int, str | None]], time: int) -> None:
    versions = built(changes)
    assert as_of(json.loads(json.dumps(versions)), time) == as_of(versions, time)
