"""Clicks to reminders: an application that was begun and not finished in time becomes a message to the
customer, if they agreed to such messages. What cannot be used goes to `dead-letters`.

    flink run -py jobs/reminders_job.py --config conf/local.yaml     on a cluster
    python jobs/reminders_job.py --config conf/local.yaml            in this process
    python jobs/reminders_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.common import Types
from pyflink.table import DataTypes, Schema, StatementSet, StreamTableEnvironment

from account_alerts.config import Config
from jobs import catalog
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.reminders.operators import REMINDERS_ROW, FindConsent, keep_settings, to_shard
from udfs.temporal.end_offsets import EndOffsetMonitor, assign_shard, shard_count

TABLES = (
    *("click_events", "beats", "click_heartbeats", "rule_sources", "ticks", "outbound_alerts"),
    "dead_letters",
)
RULES = ("reminders/unfinished_applications", "reminders/due_reminders", "shared/rule_records")


def options(config: Config) -> dict[str, str]:
    """Flink's options for this job."""
    assert config.clicks is not None  # `build` has looked.
    kept = (config.topics.click_events.retention or 0) + 2 * config.clicks.reminder_after
    return {
        "pipeline.name": catalog.REMINDERS,
        "parallelism.default": str(config.clicks.parallelism),
        "execution.checkpointing.interval": f"{config.alerting.checkpoint_interval} ms",
        "python.execution-mode": config.alerting.python_mode,
        # Which applications were begun before: remembered longer than Kafka has the events.
        "table.exec.state.ttl": f"{kept} ms",
        # Flink's default lets what nothing was found for wait twice as long.
        "table.exec.interval-join.min-cleanup-interval": "0 ms",
    }


def build(table_env: StreamTableEnvironment, config: Config) -> StatementSet:
    """Build the job as the data flows: events to applications that are due, to messages for who agreed.

    Raises:
        ConfigError: The environment has no clicks.
    """
    config.require("clicks")
    configure(table_env, options(config))
    for table in TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    # Of both topics the settings.
    settings = config.topics.alert_settings.name
    table_env.execute_sql(
        f"ALTER TABLE rule_sources SET ('topic' = '{settings}', 'properties.group.id' = 'reminders-settings')"
    )
    create_view(table_env, "reminders/checked_clicks.sql", config)
    # As a stream in between: what is planned in several steps would read the topic in each.
    clicks = table_env.to_data_stream(table_env.from_path("checked_clicks"))
    table_env.create_temporary_view("clicks", table_env.from_data_stream(clicks, _by_kafka_time()))
    for rule in RULES:
        create_view(table_env, f"{rule}.sql", config)
    shards = shard_count(config)

    ticks = table_env.to_data_stream(table_env.from_path("ticks"))
    end_offsets = (
        ticks.process(EndOffsetMonitor(config)).name("probe tails").uid("probe-tails").set_parallelism(1)
    )
    due = table_env.to_data_stream(table_env.from_path("due_reminders"))
    records = table_env.to_data_stream(table_env.from_path("rule_records")).key_by(
        lambda record: assign_shard(record.source_partition, shards), Types.INT()
    )
    asked = end_offsets.map(keep_settings(config)).union(due.map(to_shard(config)))
    reminders = (
        records.connect(asked.key_by(lambda each: each[0], Types.INT()))
        .process(FindConsent(config), REMINDERS_ROW)
        .name("find who agreed")
        .uid("find-agreed")
    )

    table_env.create_temporary_view("reminders", table_env.from_data_stream(reminders))
    results = table_env.create_statement_set()
    results.add_insert_sql(statement("reminders/send_reminders.sql", config))
    results.add_insert_sql(keep_dead_letters(config, "clicks", "event_key", config.topics.click_events))
    results.add_insert_sql(statement("reminders/write_click_heartbeats.sql", config))
    return results


def _by_kafka_time() -> Schema:
    """Take Kafka's time and the watermark from the stream. A function, for it starts Java."""
    return (
        Schema.new_builder()
        .column_by_metadata("rowtime", DataTypes.TIMESTAMP_LTZ(3))
        .watermark("rowtime", "SOURCE_WATERMARK()")
        .build()
    )


if __name__ == "__main__":
    run([build], __doc__)
