"""Pauses grow, up to a longest, and half of each is left to chance."""

from hypothesis import given
from hypothesis import strategies as st

from account_alerts.service.backoff import Backoff


@given(st.integers(1, 2_000), st.integers(1, 10_000), st.integers(1, 1_000_000), st.floats(0, 1))
def test_pauses_grow_up_to_the_longest(failures: int, first: int, longest: int, chance: float) -> None:
    backoff = Backoff(first, longest, lambda: chance)
    pause = backoff.after(failures)
    assert min(first, longest) / 2 <= pause <= longest
    assert backoff.after(failures + 1) >= pause


def test_failures_are_counted_until_one_succeeds() -> None:
    backoff = Backoff(1, 5, lambda: 1.0)
    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next() == 1
    assert backoff.failures == 1


def test_chance_spreads_pauses() -> None:
    assert Backoff(8, 100, lambda: 0.0).after(1) == 4
    assert Backoff(8, 100, lambda: 1.0).after(1) == 8
