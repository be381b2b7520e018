"""The view `bookings` over a file: as it is over Kafka, on a real Flink in this process."""

import json
from pathlib import Path

from account_alerts.config import PROJECT, load
from account_alerts.model.analyst_rule import Rule
from jobs import analyst_rule_job
from operations.analyst_rules import back_test, check
from tests.builders import NOON, entry

CONFIG = load(PROJECT / "conf/local.yaml")
RULE = Rule("r", "SELECT * FROM bookings", "", 1)


def columns(file: Path | None) -> dict[str, str]:
    table_env = check.environment(CONFIG, RULE)
    analyst_rule_job.define_views(table_env, CONFIG, file)
    return check.column_types(table_env.from_path("bookings"))


def test_it_has_the_columns_of_the_bookings_in_kafka(tmp_path: Path) -> None:
    assert columns(tmp_path / "bookings.json") == columns(None)


def test_it_has_the_usable_bookings_as_if_each_came_when_it_was_booked(tmp_path: Path) -> None:
    given = [
        entry("e1", "účet", merchant_name="m", booked_at=NOON + 7),
        entry("e2", "a", amount_minor=0),
        entry("e3", "a", entry_type="CHEQUE"),
    ]
    source = tmp_path / "given.jsonl"
    source.write_text("\n".join(map(json.dumps, given)))
    file = back_test._as_json_lines(source, tmp_path / "bookings.json")
    table_env = check.environment(CONFIG, RULE)
    analyst_rule_job.define_views(table_env, CONFIG, file)
    query = "SELECT entry_id, account_id, merchant_name, country, EXTRACT(EPOCH FROM written_at) * 1000 + "
    query += "EXTRACT(MILLISECOND FROM written_at), booked_at = written_at FROM bookings"
    with table_env.sql_query(query).execute().collect() as rows:
        assert [list(row) for row in rows] == [["e1", "účet", "m", None, NOON + 7, True]]
