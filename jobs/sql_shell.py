"""Flink's SQL client, with the tables of sql/ filled in from the configuration.

python -m jobs.sql_shell                                   asks for statements
python -m jobs.sql_shell sql/adhoc/rules_in_force.sql      runs a file and ends
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from account_alerts import paths
from account_alerts.config import Config, ConfigError, load
from account_alerts.local import flink_conf, layout
from jobs.flink_sql import statement

TABLES = ("account_authorizations", "account_entries", "alert_rules", "alert_settings", "outbound_alerts")
"""What can be asked; `rules/` are views of the jobs, and need Python on the cluster."""

_SETTINGS = """\
SET 'table.local-time-zone' = 'UTC';
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'parallelism.default' = '1';
SET 'pipeline.name' = 'ad hoc';
"""


def start(config: Config, file: Path | None) -> int:
    """Run the client on the configuration's cluster; returns its exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)  # Only its owner can look into it: the tables may hold the password of Kafka.
        flink_conf.write(folder, flink_conf.client_options(config))
        tables = [statement(f"tables/{table}.sql", config) for table in TABLES]
        (folder / "tables.sql").write_text(";\n".join([*tables, _SETTINGS]))
        command = [str(paths.flink_home() / "bin/sql-client.sh"), "-i", str(folder / "tables.sql")]
        command += ["-hist", str(folder / "history")]
        if file is not None:
            (folder / "asked.sql").write_text(statement(str(file.absolute()), config))
            command += ["-f", str(folder / "asked.sql")]
        environment = {
            **os.environ,
            **layout.flink_environment(),
            "FLINK_CONF_DIR": str(folder),
            "FLINK_LOG_DIR": str(folder),
        }
        return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, help="statements, such as those of sql/adhoc")
    parser.add_argument("--config", type=Path, help="the environment's YAML file (default: conf/local.yaml)")
    arguments = parser.parse_args()
    if arguments.file is not None and not arguments.file.is_file():
        parser.error(f"{arguments.file}: no such file")
    try:
        return start(load(arguments.config), arguments.file)
    except ConfigError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
