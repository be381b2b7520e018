"""Authorizations and settings to rules: one row per account in `alert-rules`, one row a change, and behind
the rows of each partition heartbeats that say up to when they are complete. What cannot be used goes to
`dead-letters`.

    flink run -py jobs/alert_rules_job.py --config conf/local.yaml     on a cluster
    python jobs/alert_rules_job.py --config conf/local.yaml            in this process
    python jobs/alert_rules_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.common import Types
from pyflink.table import StatementSet, StreamTableEnvironment

from account_alerts.config import Config
from jobs import catalog
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.alert_rules.operators import DEAD_LETTERS, FoldRules, RouteChanges
from udfs.alerting.stale_rules import RULES_ROW
from udfs.temporal.end_offsets import EndOffsetMonitor, assign_shard, shard_count


def options(config: Config) -> dict[str, str]:
    """Flink's options for this job."""
    job = config.alert_rules
    return {
        "pipeline.name": catalog.ALERT_RULES,
        "parallelism.default": str(job.parallelism),
        "execution.buffer-timeout.interval": "10 ms",
        "execution.checkpointing.interval": f"{job.checkpoint_interval} ms",
        "python.execution-mode": job.python_mode,
    }


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as the data flows: records to changes of accounts, changes to rows of rules."""
    configure(table_env, options(config), config.alert_rules.bundle_time)
    for table in ("rule_sources", "ticks", "alert_rules_log", "dead_letters"):
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    create_view(table_env, "shared/rule_records.sql", config)
    shards = shard_count(config)

    records = table_env.to_data_stream(table_env.from_path("rule_records"))
    ticks = table_env.to_data_stream(table_env.from_path("ticks"))
    end_offsets = (
        ticks.process(EndOffsetMonitor(config)).name("probe tails").uid("probe-tails").set_parallelism(1)
    )
    changes = (
        records.connect(end_offsets)
        .key_by(
            lambda record: assign_shard(record.source_partition, shards), lambda look: look[0], Types.INT()
        )
        .process(RouteChanges(config))
        .name("route changes")
        .uid("route-changes")
    )
    rules = (
        changes.key_by(lambda change: change[0], Types.INT())
        .process(FoldRules(config), RULES_ROW)
        .name("fold rules")
        .uid("fold-rules")
    )

    table_env.create_temporary_view("folded_rules", table_env.from_data_stream(rules))
    dead_letters = changes.get_side_output(DEAD_LETTERS)
    table_env.create_temporary_view("rule_dead_letters", table_env.from_data_stream(dead_letters))
    results = table_env.create_statement_set()
    results.add_insert_sql(statement("alert_rules/write_rules.sql", config))
    results.add_insert_sql(keep_dead_letters(config, "rule_dead_letters", "record_key"))
    return results


if __name__ == "__main__":
    run([build], __doc__)
