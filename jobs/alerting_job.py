"""Bookings to alerts: reads `account-entries`, joins each booking with the rules of its account, and writes
one alert per raised rule, channel and address to the topic of the channel. What cannot be used goes to
`dead-letters`.

    flink run -py jobs/alerting_job.py --config conf/local.yaml     on a cluster
    python jobs/alerting_job.py --config conf/local.yaml            in this process
    python jobs/alerting_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udtf

from account_alerts.config import Config
from jobs import catalog
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.alerting.stale_rules import RULES_ROW, StaleRulesFallback
from udfs.alerts import make_alerts

TABLES = (
    "account_entries",
    "clock",
    "alert_rules",
    "outbound_alerts",
    "dead_letters",
    "ticks",
    "alert_rules_log",
)
RULES = (
    "shared/checked_entries",
    "alerting/good_entries",
    "alerting/entries_with_rules",
    "alerting/raised_amounts",
    "alerting/counted_bookings",
    "alerting/raised_counts",
    "alerting/raised_alerts",
)


def options(config: Config) -> dict[str, str]:
    """Flink's options for this job; each default that would make an alert wait is set."""
    job = config.alerting
    return {
        "pipeline.name": catalog.ALERTING,
        "parallelism.default": str(job.parallelism),
        "pipeline.object-reuse": "true",
        "execution.buffer-timeout.interval": f"{job.buffer_timeout} ms",
        "execution.checkpointing.interval": f"{job.checkpoint_interval} ms",
        "state.backend.type": job.state_backend,
        # A large heap takes as long as that to copy: bookings get as much time in between.
        "execution.checkpointing.min-pause": f"{job.checkpoint_interval} ms",
        "execution.checkpointing.snapshot-compression": str(job.compress_checkpoints).lower(),
        "execution.checkpointing.incremental": "true",
        "python.execution-mode": job.python_mode,
    }


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as statements: tables, views, and what is written."""
    configure(table_env, options(config))
    for table in TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    table_env.create_temporary_function(
        "make_alerts", udtf(make_alerts, result_types=[DataTypes.STRING()] * 3)
    )
    table_env.create_java_temporary_function("count_card_bookings", "alerts.count.CountCardBookings")
    for rule in RULES:
        create_view(table_env, f"{rule}.sql", config)

    ticks = table_env.to_data_stream(table_env.from_path("ticks"))
    overdue = (
        ticks.process(StaleRulesFallback(config), RULES_ROW)
        .name("overdue rules")
        .uid("overdue-rules")
        .set_parallelism(1)
    )
    table_env.create_temporary_view("overdue_rules", table_env.from_data_stream(overdue))

    results = table_env.create_statement_set()
    results.add_insert_sql(statement("alerting/send_alerts.sql", config))
    entries = config.topics.account_entries
    results.add_insert_sql(keep_dead_letters(config, "checked_entries", "entry_key", entries))
    results.add_insert_sql(statement("alerting/release_bookings.sql", config))
    return results


if __name__ == "__main__":
    run([build], __doc__)
