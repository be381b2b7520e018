"""Says in words whether a rule can run: what Flink's planner finds, and what an alert needs."""

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
_LOCATION = re.compile(r"(?:From|at|At|from) line (\d+), column (\d+)(?: to line \d+, column \d+)?:?\s*")


def environment(config: Config, rule: Rule) -> StreamTableEnvironment:
    """Make a table environment in this process, with the rule's options and tables."""
    prepare_process()
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    options = analyst_rule_job.options(config, rule)
    del options["execution.checkpointing.interval"]  # What is run here ends, or is not run.
    configure(table_env, options)
    analyst_rule_job.define_tables(table_env, config)
    return table_env


def check(config: Config, rule: Rule, location: str) -> dict[str, str]:
    """Compile a rule; return its columns, with their types.

    Raises:
        RuleError: It cannot run; the message names the line, the reason and the remedy.
    """
    table_env = environment(config, rule)
    analyst_rule_job.define_views(table_env, config)
    found = compile_rule(table_env, rule, location)
    columns = column_types(found)
    table_env.create_temporary_view("found", found)
    table_env.execute_sql(statement("tables/rule_hits.sql", config))
    try:
        insert = statement("analyst_rules/raise_hits.sql", config, **analyst_rule_job.hits(found, rule, 0))
        table_env.explain_sql(insert)
    except Exception as error:  # Whatever the planner throws is what is wrong.
        raise RuleError(f"{location}: {reason(error)[2]}") from None
    return columns


def compile_rule(table_env: StreamTableEnvironment, rule: Rule, location: str) -> Table:
    """Plan the rule's SELECT as a table with the columns that an alert needs.

    Raises:
        RuleError: It is not valid SQL, names what is not there, or lacks a column.
    """
    try:
        found = table_env.sql_query(rule.sql)
    except Exception as error:  # Whatever the planner throws is what is wrong.
        raise RuleError(_with_line(rule, location, *reason(error), _names(table_env))) from None
    problems = list(_problems(column_types(found)))
    if problems:
        raise RuleError("\n".join(f"{location}: {problem}" for problem in problems))
    return found


def column_types(found: Table) -> dict[str, str]:
    """Return the columns of a table, with their types as Flink writes them."""
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
    """Return line, column and reason of an error of the planner; the innermost cause knows best."""
    messages = list(_messages(getattr(error, "java_exception", None))) or [str(error).split("\n\tat ")[0]]
    for message in reversed(messages):
        found = _LOCATION.search(message)
        if found is not None:
            before, after = message[: found.start()], message[found.end() :]
            # The parser says the location behind what it met, the validator before what is wrong.
            text = after if after.strip(" .") and not after.startswith(("\n", ".\n")) else before
            return int(found[1]), int(found[2]), _short(text)
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
        text += ' (see docs/guides/analyst-rules.md, "What a rule can be")'
    return " ".join(text.split())


def _with_line(
    rule: Rule, location: str, line: int | None, column: int | None, text: str, known: list[str]
) -> str:
    lines = rule.sql.splitlines()
    if line is None or column is None or not 0 < line <= len(lines):
        return f"{location}: {text}"
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
    return f"{location}, line {line}: {text}{hint}\n{shown}"


def _names(table_env: StreamTableEnvironment) -> list[str]:
    """Return the names that a rule may use: views, and their columns."""
    views = ("bookings", *analyst_rule_job.VIEWS)
    return [*views, *(name for view in views for name in column_types(table_env.from_path(view)))]
