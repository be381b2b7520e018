"""What `alerts rules test` says of a rule, by Flink's planner in this process; nothing is run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.installation import flink_environment
from account_alerts.model import analyst_rule
from account_alerts.model.analyst_rule import RuleError
from operations.analyst_rules import check, files

Check = Callable[[str], dict[str, str]]
"""Checks a text as the rule of r.sql: its columns, with their types."""

NEEDED = ("entry_id", "account_id", "currency", "amount_minor", "balance_minor", "booked_at", "written_at")
PROMISES = "-- About.\n-- limit: 5\n"
"""Two lines: a SELECT behind them begins on the third."""


@pytest.fixture(scope="module")
def checked() -> Iterator[Check]:
    config = load(PROJECT / "conf/local.yaml")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in flink_environment().items():
            patch.setenv(name, value)  # Checking sets them: they are put back.
        yield lambda text: check.check(config, analyst_rule.parse("r", text, "r.sql"), "r.sql")


def error(checked: Check, sql: str) -> str:
    """What is said of a rule that cannot run."""
    with pytest.raises(RuleError) as raised:
        checked(PROMISES + sql)
    return str(raised.value)


@pytest.mark.parametrize("file", files.shipped(), ids=lambda file: file.stem)
def test_a_shipped_rule_can_run(checked: Check, file: Path) -> None:
    columns = checked(file.read_text())
    assert set(NEEDED) <= columns.keys()
    assert columns["written_at"].startswith("TIMESTAMP_LTZ(3)")
    if "threshold_minor" in columns:
        assert columns["threshold_minor"].startswith("INT")


def test_a_rule_may_name_the_customer_by_a_join(checked: Check) -> None:
    sql = (
        "SELECT b.*, a.customer_id FROM bookings AS b JOIN authorizations AS a ON a.account_id = b.account_id"
    )
    assert checked(PROMISES + sql)["customer_id"].startswith("STRING")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("contry", "country"), ("b.amount_minr", "amount_minor"), ("Counter_Party", "counterparty")],
)
def test_a_misspelt_column_is_shown_in_its_line(checked: Check, wrong: str, meant: str) -> None:
    name = wrong.removeprefix("b.")
    said = error(checked, f"SELECT *\nFROM bookings AS b\nWHERE {wrong} IS NULL")
    first, shown, mark = said.splitlines()
    assert first.startswith(f"r.sql, line 5: Column '{name}' not found")
    assert first.endswith(f"Did you mean {meant}?")
    assert shown == f"  5 | WHERE {wrong} IS NULL"
    assert shown[mark.index("^") :].startswith((wrong, name))


def test_a_misspelt_column_of_a_view_is_not_taken_for_one_of_the_bookings(checked: Check) -> None:
    first, *_ = error(checked, "SELECT alert_typ FROM settings").splitlines()
    assert first.startswith("r.sql, line 3: Column 'alert_typ' not found")
    assert "Did you mean entry_type" not in first


@pytest.mark.parametrize(("wrong", "meant"), [("boking", "bookings"), ("authorisations", "authorizations")])
def test_a_misspelt_table_is_shown_in_its_line(checked: Check, wrong: str, meant: str) -> None:
    first, shown, mark = error(checked, f"SELECT *\nFROM {wrong}").splitlines()
    assert first == f"r.sql, line 4: Object '{wrong}' not found. Did you mean {meant}?"
    assert shown[mark.index("^") :] == wrong


def test_a_syntax_error_is_shown_in_its_line(checked: Check) -> None:
    first, shown, mark = error(checked, "SELECT *\nFORM bookings").splitlines()
    assert first == "r.sql, line 4: did not expect bookings here"
    assert shown[mark.index("^") :] == "bookings"
    first, *_ = error(checked, "SELECT *\nFROM bookings\nWHERE").splitlines()
    assert first == "r.sql, line 5: did not expect the end here"


@pytest.mark.parametrize("condition", ['country = "CZ"', 'country IN ("CZ")', 'description LIKE "%x%"'])
def test_a_text_in_double_quotes_is_an_error_that_says_so(checked: Check, condition: str) -> None:
    first, shown, mark = error(checked, f"SELECT *\nFROM bookings\nWHERE {condition}").splitlines()
    assert first == "r.sql, line 5: did not expect a double quote here: texts stand in single ones"
    assert condition.endswith(shown[mark.index("^") :])


def test_each_column_that_is_missing_is_named(checked: Check) -> None:
    said = error(checked, f"SELECT {', '.join(NEEDED[:-2])} FROM bookings").splitlines()
    assert [line.split(",")[0] for line in said] == [
        "r.sql: gives no column booked_at",
        "r.sql: gives no column written_at",
    ]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("*, '5' AS threshold_minor", "threshold_minor is CHAR(1) NOT NULL, and must be BIGINT: CAST("),
        ("*, 5 AS customer_id", "customer_id is INT NOT NULL, and must be STRING: CAST("),
        (
            ", ".join(NEEDED[:-1]) + ", CAST(written_at AS DATE) AS written_at",
            "written_at is DATE NOT NULL, and must be TIMESTAMP_LTZ",
        ),
    ],
)
def test_a_column_of_another_type_is_named_with_the_type_it_must_have(
    checked: Check, columns: str, said: str
) -> None:
    assert error(checked, f"SELECT {columns} FROM bookings").startswith(f"r.sql: the column {said}")


def test_an_order_that_no_stream_can_have_is_an_error_that_says_where_to_read_on(checked: Check) -> None:
    said = error(checked, "SELECT *\nFROM bookings\nORDER BY amount_minor")
    assert said.startswith("r.sql: Sort on a non-time-attribute field is not supported")
    assert "docs/guides/analyst-rules.md" in said
    assert "\n" not in said


def test_an_error_names_no_class_of_java(checked: Check) -> None:
    for sql in ("SELECT nothing(entry_id) FROM bookings", "SELECT", "SELECT x FROM bookings GROUP BY"):
        said = error(checked, sql)
        assert said.startswith("r.sql, line 3: ")
        assert "org.apache" not in said
        assert "Was expecting" not in said
