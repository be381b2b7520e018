"""A rule's file: what it promises is read, and what is wrong with it is said with the line and the cure."""

import re
from pathlib import Path

import pytest

from account_alerts.model.analyst_rule import Rule, RuleError, parse, read
from operations.analyst_rules import files
from operations.analyst_rules.files import find, shipped

SELECT = "SELECT *\nFROM bookings\n"
DAY = 86_400_000


def rule(*comments: str, sql: str = SELECT) -> Rule:
    """The rule with these lines before its SELECT, and a limit."""
    return parse("r", "\n".join(["-- limit: 5", *comments, sql]), "r.sql")


def error(text: str, name: str = "r") -> str:
    """What is said of a text that is no rule."""
    with pytest.raises(RuleError) as raised:
        parse(name, text, f"{name}.sql")
    return str(raised.value)


def test_a_rule_promises_what_its_comments_say() -> None:
    text = (
        "-- A salary has arrived,\n"
        "-- wherever it is from.\n"
        "-- limit: 300 alerts a minute\n"
        "-- channels: PUSH, EMAIL\n"
        "\n"
        "-- history: 7d\n"
        "-- keep: 400d\n"
    )
    assert parse("salary", text + SELECT, "salary.sql") == Rule(
        name="salary",
        sql=(text + SELECT).rstrip(),
        about="A salary has arrived, wherever it is from.",
        per_minute=300,
        channels=("PUSH", "EMAIL"),
        history=7 * DAY,
        keep=400 * DAY,
    )


def test_only_the_limit_must_be_promised() -> None:
    assert rule() == Rule("r", f"-- limit: 5\n{SELECT}".rstrip(), about="", per_minute=5)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("300", 300),
        ("300 alerts", 300),
        ("300 a minute", 300),
        ("300 alerts a minute", 300),
        ("1 per minute", 1),
        ("999999999", 999_999_999),
    ],
)
def test_a_limit_may_be_said_in_words(text: str, limit: int) -> None:
    assert parse("r", f"-- limit: {text}\n{SELECT}", "r.sql").per_minute == limit


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "1.5", "1,000", "300 a day", "1000000000"])
def test_a_limit_that_is_no_number_is_an_error(text: str) -> None:
    said = error(f"-- About.\n-- limit: {text}\n{SELECT}")
    assert said.startswith(f"r.sql, line 2: limit: {text!r} is no number")


def test_a_rule_without_a_limit_is_an_error() -> None:
    assert error(f"-- About.\n{SELECT}").startswith("r.sql: says no limit")
    assert "stands behind the SELECT" in error(f"{SELECT}-- limit: 5")


@pytest.mark.parametrize("text", [f"-- About.\n{SELECT}", f"-- limit: none\n{SELECT}"])
def test_the_line_that_is_suggested_can_be_used(text: str) -> None:
    suggested = re.search(r"-- limit: .*", error(text))
    assert suggested is not None
    assert parse("r", f"{suggested[0]}\n{SELECT}", "r.sql").per_minute == 100


@pytest.mark.parametrize(
    ("text", "channels"),
    [("EMAIL", ("EMAIL",)), ("sms , Push", ("SMS", "PUSH")), ("PUSH, PUSH", ("PUSH",))],
)
def test_channels_are_named_in_any_case_and_count_once(text: str, channels: tuple[str, ...]) -> None:
    assert rule(f"-- channels: {text}").channels == channels


@pytest.mark.parametrize("text", ["FAX", "EMAIL FAX", ""])
def test_an_unknown_channel_is_an_error_that_names_those_there_are(text: str) -> None:
    with pytest.raises(RuleError, match=rf"^r\.sql, line 2: channels: '{text}' .*EMAIL, SMS, PUSH"):
        rule(f"-- channels: {text}")


@pytest.mark.parametrize("promise", ["history", "keep"])
@pytest.mark.parametrize(
    ("text", "milliseconds"), [("7d", 7 * DAY), ("12h", DAY // 2), ("90m", 5_400_000), ("1s", 1000)]
)
def test_durations_are_those_of_the_configuration(promise: str, text: str, milliseconds: int) -> None:
    assert getattr(rule(f"-- {promise}: {text}"), promise) == milliseconds


@pytest.mark.parametrize("promise", ["history", "keep"])
@pytest.mark.parametrize("text", ["7", "a week", "-1d", ""])
def test_what_is_no_duration_is_an_error(promise: str, text: str) -> None:
    with pytest.raises(RuleError, match=rf"^r\.sql, line 3: '{text}' is not a duration; write .*10s"):
        rule("-- About.", f"-- {promise}: {text}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("limits", "limit"), ("chanels", "channels"), ("Channels", "channels"), ("histroy", "history")],
)
def test_a_promise_that_is_not_known_is_an_error_with_a_suggestion(written: str, meant: str) -> None:
    with pytest.raises(RuleError, match=rf"^r\.sql, line 3: {written}: .* Did you mean {meant}\?$"):
        rule("-- About.", f"-- {written}: x")


def test_other_words_with_a_colon_are_about_the_rule() -> None:
    assert rule("-- Asked for by: the card team.", "-- Since: autumn").about == (
        "Asked for by: the card team. Since: autumn"
    )


def test_comments_inside_the_select_promise_nothing() -> None:
    inside = rule(sql="SELECT * -- all\n-- those that are\nFROM bookings")
    assert inside.about == ""
    assert inside.sql.endswith("FROM bookings")


@pytest.mark.parametrize("sql", ["select * from bookings", "WITH b AS (SELECT 1) SELECT * FROM b"])
def test_a_rule_may_begin_with_any_word_that_begins_a_select(sql: str) -> None:
    assert rule(sql=sql).sql.endswith(sql)


@pytest.mark.parametrize("end", [";", ";\n", " ;\n\n", "\n"])
def test_an_end_of_the_statement_is_left_out(end: str) -> None:
    assert rule(sql=f"SELECT 1{end}").sql.rstrip() == "-- limit: 5\nSELECT 1"


@pytest.mark.parametrize("sql", ["", "INSERT INTO x SELECT 1", "DROP TABLE bookings", "SELECTED"])
def test_what_is_no_select_is_an_error(sql: str) -> None:
    assert error(f"-- limit: 5\n{sql}").startswith("r.sql: holds no SELECT")


def test_several_statements_are_an_error() -> None:
    assert error("-- limit: 5\nSELECT 1;\nSELECT 2").startswith("r.sql: holds several statements")


@pytest.mark.parametrize("condition", ["description LIKE '%;%'", "country = 'CZ' -- at home; for now"])
def test_a_semicolon_in_a_text_or_comment_ends_no_statement(condition: str) -> None:
    assert rule(sql=f"{SELECT}WHERE {condition}").sql.endswith(condition)


@pytest.mark.parametrize("name", ["Salary", "salary-arrived", "1st", "", "x" * 61, "a b", "währung"])
def test_a_name_that_is_no_type_of_alerts_is_an_error(name: str) -> None:
    assert error(f"-- limit: 5\n{SELECT}", name).startswith(f"{name}.sql: call the file by small letters")


def test_a_file_is_read_and_named_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "my_rule.sql"
    file.write_text(f"-- Überall.\r\n-- limit: 7\r\n{SELECT}", encoding="utf-8")
    assert (read(file).name, read(file).about, read(file).per_minute) == ("my_rule", "Überall.", 7)
    file.write_text(f"-- limit: no\n{SELECT}")
    with pytest.raises(RuleError, match=f"^{re.escape(str(file))}, line 1: "):
        read(file)


def test_a_rule_is_found_by_its_name_or_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.sql"
    file.touch()
    assert find(str(file)) == file
    assert find("salary_arrived") == files.FOLDER / "salary_arrived.sql"


def test_a_rule_that_is_not_there_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(RuleError, match=r"salary_arived\.sql: no such file\. Did you mean salary_arrived\?"):
        find("salary_arived")
    with pytest.raises(RuleError, match=r"There are: .*new_counterparty.*; or name a file"):
        find("zzz")


@pytest.mark.parametrize("file", shipped(), ids=lambda file: file.stem)
def test_a_shipped_rule_is_a_short_example_with_a_limit(file: Path) -> None:
    example = read(file)
    assert example.name == file.stem
    assert example.about
    assert example.per_minute > 0
    assert len(file.read_text().splitlines()) < 20


def test_there_are_shipped_rules() -> None:
    assert len(shipped()) >= 3
