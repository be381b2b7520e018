"""Flink's SQL client, with the tables and views of sql/ filled in from the configuration: `alerts sql`."""

import os
import subprocess
import tempfile
from pathlib import Path

from account_alerts import installation
from account_alerts.config import Config
from jobs import analyst_rule_job
from jobs.sql import SQL, statement
from operations.flink import client_config

TABLES = ("account_authorizations", "account_entries", "alert_settings")
"""What can be read; nothing that can be written."""
VIEWS = (
    "shared/checked_entries",
    "analyst_views/bookings",
    *(f"analyst_views/{view}" for view in analyst_rule_job.VIEWS),
)
_FUNCTIONS = """\
CREATE TEMPORARY FUNCTION money AS 'udfs.analyst_rules.sql_functions.money' LANGUAGE PYTHON;
CREATE TEMPORARY FUNCTION mask AS 'udfs.analyst_rules.sql_functions.mask' LANGUAGE PYTHON;
CREATE TEMPORARY FUNCTION make_alerts AS 'udfs.analyst_rules.sql_functions.make_alerts' LANGUAGE PYTHON;
CREATE TEMPORARY FUNCTION count_card_bookings AS 'alerts.count.CountCardBookings';
"""

_SETTINGS = """\
SET 'table.local-time-zone' = 'UTC';
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'parallelism.default' = '1';
SET 'pipeline.name' = 'query';
SET 'python.execution-mode' = 'thread';
"""


def start(config: Config, file: Path | None, *, live: bool = False) -> int:
    """Run the client on the configuration's cluster; return its exit status.

    A query reads what the topics hold when it begins, and ends; `live`: it goes on with what comes.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)  # Only its owner can look into it: the tables may hold the password of Kafka.
        client_config.write(folder, client_config.client_options(config))
        tables = [statement(f"tables/{table}.sql", config) for table in TABLES]
        tables.append(statement("tables/read_by_analysts.sql", config))
        if not live:
            tables += [f"ALTER TABLE {table} SET ('scan.bounded.mode' = 'latest-offset')" for table in TABLES]
        views = [statement(f"{view}.sql", config) for view in VIEWS]
        (folder / "tables.sql").write_text(";\n".join([*tables, *views, _FUNCTIONS + _SETTINGS]))
        command = [str(installation.flink_home() / "bin/sql-client.sh"), "-i", str(folder / "tables.sql")]
        command += ["-hist", str(folder / "history")]
        if file is not None:
            (folder / "asked.sql").write_text(read(config, file), encoding="utf-8")
            command += ["-f", str(folder / "asked.sql")]
        environment = {
            **os.environ,
            **installation.flink_environment(),
            "FLINK_CONF_DIR": str(folder),
            "FLINK_LOG_DIR": str(folder),
        }
        return subprocess.run(command, env=environment, check=False).returncode


def read(config: Config, file: Path) -> str:
    """Return the statements of a file; those of sql/ are filled in as the jobs' are."""
    file = file.resolve()
    if not file.is_relative_to(SQL):
        return file.read_text(encoding="utf-8")
    conditions = statement("alerting/raised_settings.sql", config).strip()
    return statement(str(file.relative_to(SQL)), config, raised_settings=conditions)
