"""An analyst's rule: a SELECT over the bookings; what it finds goes to the adhoc-alerts job. Each rule is a
job of its own, so that a wrong one touches no other.

    flink run -py jobs/analyst_rule_job.py --rule sql/shipped_rules/salary_arrived.sql     on a cluster
    python jobs/analyst_rule_job.py --rule sql/shipped_rules/salary_arrived.sql            in this process

    --rule FILE      a rule (account_alerts/model/analyst_rule.py says what stands in it); repeatable
    --since MS       bookings written to Kafka from then on raise alerts, milliseconds UTC (default: now)
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from pyflink.table import StatementSet, StreamTableEnvironment, Table, TableEnvironment

from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule, RuleError, read
from account_alerts.service.clock import SYSTEM_CLOCK
from jobs import catalog
from jobs.options import analysts_options, configure
from jobs.runner import run
from jobs.sql import create_view, statement
from udfs.analyst_rules import sql_functions

VIEWS = ("customers", "addresses", "authorizations", "settings")
"""What rules and queries can name besides the bookings."""
FUNCTIONS = ("money", "mask")
"""Python functions they can call besides Flink's (udfs/analyst_rules/sql_functions.py)."""
_TABLES = ("account_entries", "account_authorizations", "alert_settings")


def options(config: Config, rule: Rule) -> dict[str, str]:
    """Flink's options for this job."""
    return {
        **analysts_options(config, f"{catalog.RULE}{rule.name}", config.analyst_rules.rule_parallelism),
        "table.exec.state.ttl": f"{rule.keep} ms",
        # A rule that asks who may see an account finds a booking again when that changes: with the same key.
        "table.exec.sink.upsert-materialize": "NONE",
        # A text that is no number is no reason to stop at its booking for ever: the CAST gives NULL.
        "table.exec.legacy-cast-behaviour": "ENABLED",
        # A rule reads what it is given, and not what a hint in it names.
        "table.dynamic-table-options.enabled": "false",
    }


def define_tables(table_env: TableEnvironment, config: Config) -> None:
    """Create the tables that rules are about: bookings, customers, who may see what, addresses."""
    for table in _TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    for change in statement("tables/read_by_analysts.sql", config).split(";\n"):
        table_env.execute_sql(change)


def define_views(table_env: TableEnvironment, config: Config, file: Path | None = None) -> None:
    """Create the views with plain names over the tables; bookings of a file where one is named."""
    if file is not None:
        table_env.execute_sql(statement("tables/bookings_of_a_file.sql", config, bookings_file=file.as_uri()))
        table_env.execute_sql("DROP TABLE account_entries")
        table_env.execute_sql("ALTER TABLE bookings_of_a_file RENAME TO account_entries")
    create_view(table_env, "shared/checked_entries.sql", config)
    for view in ("bookings", *VIEWS):
        create_view(table_env, f"analyst_views/{view}.sql", config)
    for function in FUNCTIONS:
        table_env.create_temporary_function(function, getattr(sql_functions, function))
    for table in _TABLES:
        table_env.execute_sql(f"DROP TABLE {table}")  # The views stay; rules are about them.


def hits(table: Table, rule: Rule, since: int, per_second: int = 0) -> dict[str, str]:
    """Return what sql/analyst_rules/raise_hits.sql is filled with, for a rule with these columns.

    With `per_second` what is found passes at that pace, by the function `pace`.
    """
    columns = table.get_schema().get_field_names()
    return {
        "rule": rule.name,
        "rule_entry": f"pace(entry_id, {per_second})" if per_second else "entry_id",
        "rule_customer": "customer_id" if "customer_id" in columns else "''",
        "rule_named": "customer_id <> ''" if "customer_id" in columns else "TRUE",
        "rule_threshold": "CAST(threshold_minor AS BIGINT)"
        if "threshold_minor" in columns
        else "CAST(NULL AS BIGINT)",
        "rule_channels": ",".join(rule.channels),
        "rule_per_minute": str(rule.per_minute),
        "rule_since": str(since),
    }


def build(table_env: StreamTableEnvironment, config: Config, rule: Rule, since: int) -> StatementSet:
    """Build the job: bookings, the rule, and what it finds."""
    configure(table_env, options(config, rule))
    define_tables(table_env, config)
    table_env.execute_sql(
        "ALTER TABLE account_entries SET ('scan.startup.mode' = 'timestamp', "
        f"'scan.startup.timestamp-millis' = '{since - rule.history}', "
        f"'properties.group.id' = '{catalog.RULE}{rule.name}')"
    )
    define_views(table_env, config)
    found = table_env.sql_query(rule.sql)
    table_env.create_temporary_view("found", found)
    table_env.execute_sql(statement("tables/rule_hits.sql", config))
    results = table_env.create_statement_set()
    table_env.create_temporary_function("pace", sql_functions.pace)
    pace = max(1, config.analyst_rules.hits_per_second // config.analyst_rules.rule_parallelism)
    results.add_insert_sql(
        statement("analyst_rules/raise_hits.sql", config, **hits(found, rule, since, pace))
    )
    return results


if __name__ == "__main__":
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--rule", type=Path, action="append", default=[])
    own.add_argument("--since", type=int, default=SYSTEM_CLOCK.now_ms())
    asked, others = own.parse_known_args()
    try:
        rules = [read(file) for file in asked.rule]
    except (RuleError, OSError) as error:
        sys.exit(f"analyst_rule_job: {error}")
    run([partial(build, rule=rule, since=asked.since) for rule in rules], __doc__, others)
