"""Ids made of others: receivers recognise duplicates by them, so they never change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.model.ids import stable_id

PARTS = st.lists(st.binary(max_size=4), max_size=4)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((), "e3b0c44298fc1c149afbf4c8996fb924"),
        ((b"E1", b"C1", b"S1", b"EMAIL", b"a@example.com"), "e6e5819871751c98cab35be10eba41d2"),
        ((b"",), "df3f619804a92fdb4057192dc43dd748"),
        ((b"e6e5819871751c98cab35be10eba41d2", b"d1"), "8b7c76c67fef2cf20976518a398d3f53"),
        (("\ufeffž€".encode(), b"\0"), "eb54cd51a11f03fa5d09495911f1821f"),
    ],
)
def test_an_id_stays_what_it_was(parts: tuple[bytes, ...], expected: str) -> None:
    assert stable_id(*parts) == expected


@given(PARTS, PARTS)
def test_other_parts_give_another_id(one: list[bytes], other: list[bytes]) -> None:
    assert (stable_id(*one) == stable_id(*other)) == (one == other)
