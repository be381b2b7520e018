"""Run views of sql/ on rows in this process: Flink's own planner and operators, no Kafka."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from account_alerts.config import Config
from jobs.options import configure
from jobs.runner import prepare_process
from jobs.sql import create_view
from tests import ddl

Columns = Mapping[str, str]
"""Types by column, as Flink SQL writes them."""


def read_columns(table: str) -> dict[str, str]:
    """The columns of a table of sql/tables, those of its record and of Kafka's, as a plain table has them."""
    body = ddl.text(f"tables/{table}.sql").split(") WITH (")[0]
    found = re.findall(r"^  (\w+)\s+(\w[^\n]*?) METADATA", body, re.MULTILINE)
    key = re.findall(r"^  (\w+)\s+BYTES,", body, re.MULTILINE)
    return {**dict.fromkeys(key, "BYTES"), **ddl.value_columns(table), **dict(found)}


class Views:
    """A table environment with tables made of rows, and views of sql/ over them."""

    def __init__(self, config: Config, folder: Path) -> None:
        prepare_process()
        environment = StreamExecutionEnvironment.get_execution_environment()
        self.table_env = StreamTableEnvironment.create(environment)
        configure(self.table_env, {"parallelism.default": "1"})
        self._config, self._folder = config, folder

    def add_table(
        self, name: str, columns: Columns, rows: Iterable[Mapping[str, Any]], more: Sequence[str] = ()
    ) -> None:
        """Make a table of rows; `more` are further columns of it, computed, and its watermark."""
        file = self._folder / f"{name}.json"
        file.write_text("\n".join(json.dumps(_as_json(row, columns)) for row in rows), encoding="utf-8")
        body = ",\n".join([*(f"`{column}` {_quoted(kind)}" for column, kind in columns.items()), *more])
        self.table_env.execute_sql(
            f"CREATE TEMPORARY TABLE {name} ({body}) WITH ('connector' = 'filesystem', 'format' = 'json', "
            f"'path' = '{file.as_uri()}', 'json.timestamp-format.standard' = 'SQL')"
        )

    def add_view(self, path: str) -> None:
        """Make a view of sql/."""
        create_view(self.table_env, path, self._config)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query over what there is."""
        with self.table_env.sql_query(query).execute().collect() as found:
            return [tuple(row) for row in found]


def _quoted(kind: str) -> str:
    """A type with the names of its fields in quotes: some are words of SQL."""
    return re.sub(r"(ROW<|, )(\w+) ", r"\1`\2` ", kind)


def _as_json(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    return {name: _value(row.get(name), kind) for name, kind in columns.items()}


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind.startswith("TIMESTAMP_LTZ"):
        return _time(value)
    if kind.startswith("BYTES"):
        return b64encode(value).decode()
    if isinstance(value, list) and "TIMESTAMP_LTZ" in kind:
        times = re.findall(r"(\w+) TIMESTAMP_LTZ", kind)
        return [
            {name: _time(each) if name in times and each is not None else each for name, each in item.items()}
            for item in value
        ]
    return value


def _time(milliseconds: int) -> str:
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
