"""Bookings to alerts: joins each booking with the authorizations and settings that hold for it, and writes
one alert per booking, customer, channel and address to the topic of the channel. It reads `account-entries`,
`account-authorizations` and `alert-settings`; what cannot be used goes to `dead-letters`.

    flink run -py jobs/alerting_job.py --config conf/local.yaml     on a cluster
    python jobs/alerting_job.py --config conf/local.yaml            in this process
    python jobs/alerting_job.py --explain                           prints the plan and runs nothing

    --raise-from MS    without state: raises alerts for bookings written to Kafka from then on, milliseconds
                       UTC; those before are counted (default: all that Kafka has)
"""

import argparse
from functools import partial

from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.expressions import col, to_timestamp_ltz
from pyflink.table.udf import udtf

from account_alerts.config import Config
from jobs import catalog
from jobs.operators import collect_reasons, hold_bookings, plan_once, temporal_join
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.alerts import make_alerts

TABLES = (
    "account_entries",
    "authorization_records",
    "setting_records",
    "outbound_alerts",
    "dead_letters",
)
CHECKED = ("shared/checked_entries", "shared/checked_authorizations", "shared/checked_settings")
"""Records with the reason that makes them unusable, if any."""
PLANNED_ONCE = {
    "entries": "read_entries",
    "authorizations": "checked_authorizations",
    "settings": "checked_settings",
}
"""The views that several others read, by the name under which they do."""
ALERTS = ("alerting/raised_alerts", "alerting/alerts", "alerting/unusable_records")

ROCKSDB = {
    # A booking asks for keys of which many are not there.
    "state.backend.rocksdb.use-bloom-filter": "true",
    # A value is small and read often: what compression saves on disk costs more to read.
    "state.backend.rocksdb.compression.per.level": "NO_COMPRESSION",
    # Few bookings wait.
    "state.backend.rocksdb.timer-service.factory": "HEAP",
}
"""Of the state backend `rocksdb`."""


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
        **ROCKSDB,
    }


def build(table_env: StreamTableEnvironment, config: Config, raise_from: int = 0) -> StatementSet:
    """Build the job as statements: tables, views, and what is written.

    Args:
        table_env: Where to build it.
        config: The environment.
        raise_from: Bookings written to Kafka before raise nothing, milliseconds UTC; they are counted.
    """
    configure(table_env, options(config))
    for table in TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    hold_bookings(table_env, config)
    table_env.create_temporary_function(
        "make_alerts", udtf(make_alerts, result_types=[DataTypes.STRING()] * 3)
    )
    table_env.create_java_temporary_function("without_nulls", "alerts.functions.WithoutNulls")
    for view in (*CHECKED, "alerting/read_entries"):
        create_view(table_env, f"{view}.sql", config)
    for name, view in PLANNED_ONCE.items():
        table_env.create_temporary_view(name, plan_once(table_env, view))
    create_view(table_env, "alerting/usable_entries.sql", config)
    joined = dict(temporal_join(table_env, config, "usable_entries", "authorizations", "settings"))
    if raise_from:
        since = max(0, raise_from - config.rules.effect_delay)  # As rules_time.
        joined["candidates"] = joined["candidates"].where(col("rules_time") >= to_timestamp_ltz(since, 3))
    for name, table in joined.items():
        table_env.create_temporary_view(name, table)
    create_view(table_env, "alerting/raised_settings.sql", config)
    table_env.create_temporary_view("raised_bookings", collect_reasons(table_env, "raised_settings"))
    for view in ALERTS:
        create_view(table_env, f"{view}.sql", config)

    results = table_env.create_statement_set()
    results.add_insert_sql(statement("alerting/send_alerts.sql", config))
    results.add_insert_sql(keep_dead_letters(config, "unusable_records", "record_key"))
    return results


if __name__ == "__main__":
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--raise-from", type=int, default=0)
    asked, others = own.parse_known_args()
    run([partial(build, raise_from=asked.raise_from)], __doc__, others)
