"""Durations as people write them."""

import pytest

from account_alerts.model.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("5ms", 5),
        ("10s", 10_000),
        ("15m", 900_000),
        ("1h", 3_600_000),
        ("7d", 604_800_000),
        (" 2 h ", 7_200_000),
    ],
)
def test_a_duration_is_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("value", ["", "10", "s", "-5s", "1.5h", "1w", 10, None])
def test_anything_else_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match="is not a duration; write a number and ms, s, m, h or d"):
        parse_duration(value)
