"""Idempotency keys in the forms that gateways take."""

import re

from hypothesis import given
from hypothesis import strategies as st

from delivery.gateways import keys


@given(st.text(), st.text())
def test_keys_are_safe_and_stay_apart(one: str, other: str) -> None:
    for make in (keys.token, keys.as_uuid):
        assert make(one) == make(one)
        assert (make(one) == make(other)) == (one == other)
    assert re.fullmatch(r"[\w-]*", keys.token(one), re.ASCII)
    assert len(keys.token(one, 32)) <= 32


def test_an_alerts_id_is_its_key() -> None:
    assert keys.token("0123456789abcdef" * 2, 32) == "0123456789abcdef" * 2
