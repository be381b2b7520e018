"""Clicks to reminders: an application that was begun and not finished in time becomes a message to the
customer, if they agreed to such messages. What cannot be used goes to `dead-letters`.

    flink run -py jobs/reminders_job.py --config conf/local.yaml     on a cluster
    python jobs/reminders_job.py --config conf/local.yaml            in this process
    python jobs/reminders_job.py --explain                           prints the plan and runs nothing
"""

from pyflink.table import DataTypes, StatementSet, StreamTableEnvironment
from pyflink.table.udf import udtf

from account_alerts.config import Config
from account_alerts.service.metrics import REMINDERS_LEFT_OUT
from jobs import catalog
from jobs.operators import assign_watermarks, limit, look_up, topic_source
from jobs.options import configure
from jobs.runner import run
from jobs.sql import create_view, keep_dead_letters, statement
from udfs.reminders import make_reminders

_DAY_MS = 86_400_000
TABLES = ("click_events", "setting_records", "outbound_alerts", "dead_letters")


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
    clicks = config.require("clicks")
    configure(table_env, options(config))
    for table in TABLES:
        table_env.execute_sql(statement(f"tables/{table}.sql", config))
    # Of what the alerting job reads, the settings; that one's place is left alone.
    table_env.execute_sql("ALTER TABLE setting_records SET ('properties.group.id' = 'reminders-settings')")
    table_env.create_temporary_function(
        "make_reminders", udtf(make_reminders, result_types=[DataTypes.STRING()] * 6)
    )
    topics = config.topics
    create_view(table_env, "reminders/checked_clicks.sql", config)
    # However long the topic does not get on, nobody is reminded of what they may have finished.
    source = topic_source(config, topics.click_events, patient=True)
    marked = assign_watermarks(table_env, "checked_clicks", source, "clicks-watermarks", move_late=True)
    table_env.create_temporary_view("clicks", marked)
    create_view(table_env, "reminders/unfinished_applications.sql", config)
    create_view(table_env, "shared/checked_settings.sql", config)
    settings = topic_source(config, topics.alert_settings)
    marked = assign_watermarks(table_env, "checked_settings", settings, "settings-watermarks")
    table_env.create_temporary_view("settings", marked)
    create_view(table_env, "reminders/consent_versions.sql", config)
    late = topics.click_events.retention or 0
    due = look_up(
        table_env, "unfinished_applications", "customer_id", "consent_versions", late, "find-agreed"
    )
    table_env.create_temporary_view("due_reminders", due)
    create_view(table_env, "reminders/reminders.sql", config)
    limited = limit(
        *(table_env, "reminders", "customer_id", "rules_time"),
        *(clicks.reminders_per_day, _DAY_MS, REMINDERS_LEFT_OUT),
    )
    table_env.create_temporary_view("limited_reminders", limited)

    results = table_env.create_statement_set()
    results.add_insert_sql(statement("reminders/send_reminders.sql", config))
    results.add_insert_sql(keep_dead_letters(config, "clicks", "event_key", topics.click_events))
    return results


if __name__ == "__main__":
    run([build], __doc__)
