"""The views of the job for analysts' alerts: what is a match, whom it is for, what closes a breaker."""

import json
from pathlib import Path
from typing import Any

import pytest

from account_alerts.config import load
from tests import ddl
from tests.builders import NOON
from tests.unit.sql.views import Views

CONFIG = load()
MATCH = {
    "rule": "salary_arrived",
    "entry_id": "e1",
    "customer_id": "",
    "account_id": "a1",
    "currency": "EUR",
    "amount_minor": 250_000,
    "balance_minor": 300_000,
    "booked_at": NOON,
    "written_at": NOON + 100,
    "threshold_minor": None,
    "channels": "",
    "per_minute": 600,
}
NO_MATCHES = [
    *(json.dumps({name: value for name, value in MATCH.items() if name != lacking}) for lacking in MATCH),
    *(json.dumps({**MATCH, name: []}) for name in ("amount_minor", "written_at", "per_minute")),
    json.dumps({**MATCH, "amount_minor": 2**63}),
    json.dumps({**MATCH, "booked_at": 2**62}),
    json.dumps({**MATCH, "written_at": -(2**63)}),
    *("", "null", "[]", '"text"', "5", '{"rule": ', "1" * 5_000, "[" * 100_000),
]
for nullable in ("threshold_minor", "balance_minor"):
    NO_MATCHES.remove(json.dumps({name: value for name, value in MATCH.items() if name != nullable}))


@pytest.fixture
def views(tmp_path: Path) -> Views:
    return Views(CONFIG, tmp_path)


def test_only_what_is_whole_is_a_match(views: Views, tmp_path: Path) -> None:
    matches = [
        {**MATCH, "entry_id": "whole"},
        {**MATCH, "entry_id": "least", "amount_minor": -(2**63)},
        {**MATCH, "entry_id": "no balance", "balance_minor": None},
        {**MATCH, "entry_id": "more", "threshold_minor": 5, "unknown": "x"},
    ]
    lines = [*NO_MATCHES, *map(json.dumps, matches)]
    (tmp_path / "found.json").write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    columns = ddl.value_columns("found_bookings")
    views.table_env.execute_sql(
        f"CREATE TABLE found_bookings ({', '.join(f'{name} {kind}' for name, kind in columns.items())}, "
        f"found_at AS TO_TIMESTAMP_LTZ({NOON + 300}, 3)) WITH ('connector' = 'filesystem', "
        f"'path' = '{(tmp_path / 'found.json').as_uri()}', 'format' = 'json', "
        "'json.ignore-parse-errors' = 'true')"
    )
    views.add_view("analyst_rules/rule_matches.sql")
    milliseconds = "EXTRACT(EPOCH FROM {0}) * 1000 + EXTRACT(MILLISECOND FROM {0})"
    found = views.rows(
        f"SELECT entry_id, amount_minor, threshold_minor, found_at, {milliseconds.format('booked_at')}, "
        f"written_at - ({milliseconds.format('rules_time')}) FROM rule_matches"
    )
    rest = (NOON + 300, NOON, CONFIG.rules.effect_delay)
    assert sorted(found) == [
        ("least", -(2**63), None, *rest),
        ("more", 250_000, 5, *rest),
        ("no balance", 250_000, None, *rest),
        ("whole", 250_000, None, *rest),
    ]


def test_a_match_is_for_those_who_may_see_the_account_or_of_them_the_named_one(views: Views) -> None:
    cases: list[tuple[str, list[str] | None, list[str]]] = [
        ("", ["ben", "anna", "ben"], ["anna", "ben"]),
        ("", [], []),
        ("", None, []),
        ("anna", None, []),
        ("anna", ["anna", "ben"], ["anna"]),
        ("eve", ["anna", "ben"], []),
    ]
    text, number, time = "STRING NOT NULL", "BIGINT NOT NULL", "TIMESTAMP_LTZ(3) NOT NULL"
    columns = {
        **dict.fromkeys(("rule", "entry_id", "named_customer", "account_id", "currency", "channels"), text),
        **dict.fromkeys(("amount_minor", "balance_minor", "written_at", "per_minute", "found_at"), number),
        **dict.fromkeys(("booked_at", "rules_time"), time),
        **{"threshold_minor": "BIGINT", "customer_ids": "ARRAY<STRING NOT NULL>"},
    }
    match: dict[str, Any] = {**MATCH, "found_at": NOON, "rules_time": NOON}
    rows = [
        {**match, "entry_id": str(case), "named_customer": named, "customer_ids": authorized}
        for case, (named, authorized, _) in enumerate(cases)
    ]
    views.add_table("authorized_matches", columns, rows)
    views.add_view("analyst_rules/recipients.sql")
    found = sorted(views.rows("SELECT entry_id, customer_id FROM recipients"))
    assert found == [(str(case), each) for case, (*_, expected) in enumerate(cases) for each in expected]


def test_a_start_and_a_decision_close_a_breaker(views: Views) -> None:
    records = {b"started": b"{}", b"decided:held": b"{}", b"job ended:halted": b"{}", b"stopped": None}
    records |= {b"\xff:halted": b"{}", b"": b"{}", b"later:something": b"{}"}
    rows = [{"record_key": key, "record": record, "written_at": NOON} for key, record in records.items()]
    columns = {"record_key": "BYTES", "record": "BYTES", "written_at": "TIMESTAMP_LTZ(3) NOT NULL"}
    views.add_table("analyst_rules", columns, rows)
    views.add_view("analyst_rules/breaker_resets.sql")
    assert sorted(views.rows("SELECT rule, reset_at FROM breaker_resets")) == [
        ("decided", NOON),
        ("started", NOON),
    ]
