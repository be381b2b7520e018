"""Durations as people write them."""

import re

_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_duration(value: object) -> int:
    """Read a duration such as `5ms`, `10s`, `15m`, `1h` or `7d`; returns milliseconds.

    Raises:
        ValueError: It is none.
    """
    match = re.fullmatch(r"(\d+)\s*(ms|s|m|h|d)", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write a number and ms, s, m, h or d, such as 10s")
    return int(match[1]) * _MILLISECONDS[match[2]]
