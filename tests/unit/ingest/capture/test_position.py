"""Positions in the headers of published records."""

from types import SimpleNamespace
from typing import Any

import pytest

from account_alerts.config import load
from ingest.capture.position import HEADER, RecordPositions, change_offset


def record(*headers: tuple[str, bytes | None]) -> Any:
    return SimpleNamespace(headers=lambda: list(headers) or None)


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ([(HEADER, b"id:3:17")], 17),
        ([("other", b"id:3:1"), (HEADER, b"id:3:17")], 17),
        ([(HEADER, b"id:4:17")], -1),
        ([(HEADER, b"another-id:3:17")], -1),
        ([(HEADER, None)], -1),
        ([], -1),
    ],
)
def test_a_record_says_which_change_it_was(headers: list[tuple[str, bytes | None]], offset: int) -> None:
    assert change_offset(record(*headers), "id", 3) == offset


def test_what_is_written_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    positions = RecordPositions(load())
    monkeypatch.setattr(positions, "_topic_id", lambda topic: f"id-of-{topic}")
    assert change_offset(record(positions.header("changes", 3, 17)), "id-of-changes", 3) == 17
