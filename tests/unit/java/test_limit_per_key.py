"""So many rows of a key within a time, on a real Flink in this process."""

from pathlib import Path

from account_alerts.config import load
from account_alerts.service.metrics import REMINDERS_LEFT_OUT
from jobs.operators import limit
from tests.builders import NOON
from tests.unit.sql.views import Views

WITHIN = 1_000


def test_what_is_over_the_limit_of_a_key_is_left_out_until_time_has_passed(tmp_path: Path) -> None:
    times = {
        "busy": [0, 1, 2, 3, 999, 1_000, 1_001, 1_001, 5_000],
        "calm": [0, 2_000],
        "at once": [7, 7, 7, 7],
    }
    rows = [
        {"number": number, "name": name, "at": NOON + at}
        for number, (at, name) in enumerate(sorted((at, name) for name, each in times.items() for at in each))
    ]
    views = Views(load(), tmp_path)
    time = "TIMESTAMP_LTZ(3)"
    columns = {"number": "INT", "name": "STRING", "at": time}
    views.add_table("found", columns, rows, ["WATERMARK FOR `at` AS `at`"])
    limited = limit(views.table_env, "found", "name", "at", 3, WITHIN, REMINDERS_LEFT_OUT)
    views.table_env.create_temporary_view("limited", limited)
    passed: dict[str, list[int]] = {}
    for number, name in sorted(views.rows("SELECT number, name FROM limited")):
        passed.setdefault(name, []).append(rows[number]["at"] - NOON)
    assert passed == {"busy": [0, 1, 2, 1_000, 1_001, 5_000], "calm": [0, 2_000], "at once": [7, 7, 7]}
