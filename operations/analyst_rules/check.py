"""Whether a rule can run, said in words: what Flink's planner finds, and what an alert needs."""

import difflib
import re
from collections.abc import Iterator
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment, Table

from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule, RuleError
from jobs import analyst_rule_job
from jobs.options import configure
from jobs.runner import prepare_process
from jobs.sql import statement

_NEEDED = {
    **dict.fromkeys(("entry_id", "account_id", "currency"), ("STRING", "VARCHAR", "CHAR")),
    **dict.fromkeys(("amount_minor", "balance_minor"), ("BIGINT", "INT")),
    **dict.fromkeys(("booked_at", "written_at"), ("TIMESTAMP_LTZ",)),
}
_OPTIONAL = {"customer_id": ("STRING", "VARCHAR", "CHAR"), "threshold_minor": ("BIGINT", "INT")}
_PLACE = re.compile(r"(?:From|at|At|from) line (\d+), column (\d+)(?: to line \d+, column \d+)?:?\s*")


def environment(config: Config, rule: Rule) -> StreamTableEnvironment:
    """A table environment in this process, with the rule's options and the tables it is written about."""
    prepare_process()
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    options = analyst_rule_job.options(config, rule)
    del options["execution.checkpointing.interval"]  # What is run here ends, or is not run.
    configure(table_env, options)
    analyst_rule_job.define_tables(table_env, config)
    return table_env


def check(config: Config, rule: Rule, place: str) -> dict[str, str]:
    """Compile a rule; returns its columns, with their types.

    Raises:
        RuleError: It cannot run; the message names the line, the reason and the cure.
    """
    table_env = environment(config, rule)
    analyst_rule_job.define_views(table_env, config)
    found = compiled(table_env, rule, place)
    columns = columns_of(found)
    table_env.create_temporary_view("found", found)
    table_env.execute_sql(statement("tables/rule_hits.sql", config))
    try:
        insert = statement("analyst_rules/raise_hits.sql", config, **analyst_rule_job.hits(found, rule, 0))
        table_env.explain_sql(insert)
    except Exception as error:  # Whatever the planner throws is what is wrong.
        raise RuleError(f"{place}: {reason(error)[2]}") from None
    return columns


def compiled(table_env: StreamTableEnvironment, rule: Rule, place: str) -> Table:
    """The rule's SELECT as a table with the columns that an alert needs.

    Raises:
        RuleError: It is not valid SQL, names what is not there, or lacks a column.
    """
    try:
        found = table_env.sql_query(rule.sql)
    except Exception as error:  # Whatever the planner throws is what is wrong.
        raise RuleError(_with_line(rule, place, *reason(error), _names(table_env))) from None
    problems = list(_problems(columns_of(found)))
    if problems:
        raise RuleError("\n".join(f"{place}: {problem}" for problem in problems))
    return found


def columns_of(found: Table) -> dict[str, str]:
    """The columns of a table, with their types as Flink writes them."""
    columns = found._j_table.getResolvedSchema().getColumns()
    return {
        str(column.getName()): str(column.getDataType().getLogicalType().asSummaryString())
        for column in columns
    }


def _problems(columns: dict[str, str]) -> Iterator[str]:
    for name, kinds in _NEEDED.items():
        if name not in columns:
            yield f"gives no column {name}, which an alert needs: select it, or * , from bookings"
        elif not _is_one_of(columns[name], kinds):
            yield f"the column {name} is {columns[name]}, and must be {kinds[0]}, as in bookings"
    for name in columns:
        if name.lower() in {*_NEEDED, *_OPTIONAL} and name not in {*_NEEDED, *_OPTIONAL}:
            yield f"the column {name} is written {name.lower()}, or called otherwise"
    for name, kinds in _OPTIONAL.items():
        if name in columns and not _is_one_of(columns[name], kinds):
            yield f"the column {name} is {columns[name]}, and must be {kinds[0]}: CAST({name} AS {kinds[0]})"


def _is_one_of(kind: str, kinds: tuple[str, ...]) -> bool:
    return re.split(r"\W", kind)[0] in kinds


def reason(error: Exception) -> tuple[int | None, int | None, str]:
    """(line, column, what is wrong) of an error of the planner; the innermost cause knows best."""
    messages = list(_messages(getattr(error, "java_exception", None))) or [str(error).split("\n\tat ")[0]]
    for message in reversed(messages):
        place = _PLACE.search(message)
        if place is not None:
            before, after = message[: place.start()], message[place.end() :]
            # The parser says the place behind what it met, the validator before what is wrong.
            text = after if after.strip(" .") and not after.startswith(("\n", ".\n")) else before
            return int(place[1]), int(place[2]), _short(text)
    return None, None, _short(messages[-1])


def _messages(thrown: Any) -> Iterator[str]:
    while thrown is not None:
        message = thrown.getMessage()
        if message:
            yield str(message)
        thrown = thrown.getCause()


def _short(text: str) -> str:
    text = text.removeprefix("SQL parse failed. ").removeprefix("SQL validation failed. ")
    text = text.split("\nWas expecting")[0].split("\nAvailable")[0]
    text = re.sub(r"^org\.apache\.[\w.$]+: ", "", text)
    if met := re.match(r'Encountered "(.*?)"', text):
        word = met[1].replace("<EOF>", "the end")
        text = f"did not expect {word} here"
        if named := re.fullmatch(r"[.,] (\w+)", word):
            text += f"; if {named[1]} is a column, write it in back-ticks: it is also a word of SQL"
    if text == "did not expect = = here":
        text += "; equal is written with one ="
    if strange := re.match(r'\. Encountered: "(.*?)" \((\d+)\)', text):
        text = f"did not expect {chr(int(strange[2]))} here; texts stand in single quotes: '...'"
    if called := re.match(r"No match found for function signature (\w+)", text):
        text = f"there is no function {called[1]} that takes this"
    if any(each in text for each in ("doesn't support consuming", "is not supported", "StreamPhysical")):
        text += ' (see docs/adhoc-rules.md, "What a rule can be")'
    return " ".join(text.split())


def _with_line(
    rule: Rule, place: str, line: int | None, column: int | None, text: str, known: list[str]
) -> str:
    lines = rule.sql.splitlines()
    if line is None or column is None or not 0 < line <= len(lines):
        return f"{place}: {text}"
    # Of texts only their quotes are left, so what else is quoted is so by mistake.
    rest = re.sub(r"'[^']*'", lambda quoted: " " * len(quoted[0]), lines[line - 1]).split("--")[0]
    if '"' in rest:
        text, column = "did not expect a double quote here: texts stand in single ones", rest.index('"') + 1
    elif "'" in rest:
        text, column = "the text that begins here does not end", rest.index("'") + 1
    named = None if "keyword" in text else re.search(r"'([^']+)'", text)
    if text.startswith("Object "):
        known = ["bookings", *analyst_rule_job.VIEWS]  # Not their columns.
    close = difflib.get_close_matches(named[1].lower(), known, n=1) if named else []
    hint = f". Did you mean {close[0]}?" if close and named and close[0] != named[1] else ""
    shown = f"  {line} | {lines[line - 1]}\n  {' ' * len(str(line))} | {' ' * (column - 1)}^"
    return f"{place}, line {line}: {text}{hint}\n{shown}"


def _names(table_env: StreamTableEnvironment) -> list[str]:
    """The views that a rule may name, and their columns."""
    views = ("bookings", *analyst_rule_job.VIEWS)
    return [*views, *(name for view in views for name in columns_of(table_env.from_path(view)))]
