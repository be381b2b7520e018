"""The project's Java operators (java/src/alerts/temporal), placed between tables."""

import sys
from collections.abc import Mapping
from typing import Any

from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment, Table
from pyflink.table.expressions import col

from account_alerts.config import Config
from account_alerts.config.kafka import Topic
from account_alerts.model.alerts import AMOUNT_TYPES, IMPORTANCE, AlertType, Channel
from account_alerts.model.limits import CHANNELS_PER_SETTING
from account_alerts.records.settings import FIELDS
from account_alerts.service.metric_types import CounterMetric
from jobs.catalog import RULE_TABLES

_AHEAD_MS = 5_000
_SHIFT_MS = 36_500 * 86_400_000
"""As in RulesPosition: larger than any difference between two records."""
_ALIGNMENT = (
    "'scan.watermark.alignment.group' = 'rules', 'scan.watermark.alignment.update-interval' = '500 ms', "
    f"'scan.watermark.alignment.max-drift' = '{_SHIFT_MS + _AHEAD_MS} ms'"
)


def plan_once(table_env: StreamTableEnvironment, view: str) -> Table:
    """Plan a view once for all who read the table that is returned.

    Without it each reader of the view would read its topic.
    """
    java = _operators().planOnce(table_env._j_tenv, table_env.from_path(view)._j_table)
    return Table(java, table_env)


def temporal_join(
    table_env: StreamTableEnvironment, config: Config, entries: str, authorizations: str, settings: str
) -> Mapping[str, Table]:
    """Join bookings with the authorizations and settings that hold at their rules_time.

    Args:
        table_env: Where the views are.
        config: The environment.
        entries: The view of usable bookings.
        authorizations: The view of all records about who may see an account, checked.
        settings: The same about what customers asked for.

    Returns:
        ``candidates``: a booking beside each setting about amounts, and each that counts and is raised by it,
        then the booking alone; ``invalid_settings``: records with settings that were skipped.
    """
    topics = config.topics
    found = _operators().temporalJoin(
        table_env._j_tenv,
        *(table_env.from_path(view)._j_table for view in (entries, authorizations, settings)),
        topic_source(config, topics.account_entries),
        topic_source(config, topics.account_authorizations),
        topic_source(config, topics.alert_settings),
        contract_lists(),
        CHANNELS_PER_SETTING,
        topics.account_entries.retention or 0,
        config.rules.count_reach,
    )
    return {str(name): Table(found[name], table_env) for name in found}


def collect_reasons(table_env: StreamTableEnvironment, raised: str) -> Table:
    """Gather what a booking raised: a row for each customer, with the reasons by channel.

    Args:
        table_env: Where the view is.
        raised: The rows of ``candidates`` that were raised, and those that end a booking.
    """
    rows = table_env.from_path(raised).select(col("booking"), col("customer"), col("setting"))._j_table
    java = _operators().collectReasons(table_env._j_tenv, rows, [kind.value for kind in IMPORTANCE])
    return Table(java, table_env)


def hold_bookings(table_env: StreamTableEnvironment, config: Config) -> None:
    """Let the source of bookings wait for those of authorizations and settings, where they are behind.

    Else what they are behind would wait in the state of the join. It is Flink's alignment of sources by their
    watermarks, which nothing else reads: a booking may be `_AHEAD_MS` ahead of a record of rules
    (RulesPosition). Only partitions of rules are ever idle, and only those of bookings are ever paused: Flink
    2.3.0 does not resume what is idle and paused (FLINK-40093).
    """
    table_env.create_java_temporary_function("rules_position", "alerts.temporal.RulesPosition")
    for table in RULE_TABLES:
        position = f"rules_position(written_at, CAST({config.rules.max_lag} AS BIGINT))"
        table_env.execute_sql(f"ALTER TABLE {table} ADD WATERMARK FOR written_at AS {position}")
        options = f"{_ALIGNMENT}, 'scan.watermark.idle-timeout' = '1 s'"
        table_env.execute_sql(f"ALTER TABLE {table} SET ({options})")
    table_env.execute_sql(f"ALTER TABLE account_entries SET ({_ALIGNMENT})")


def contract_lists() -> dict[str, list[str]]:
    """Return the values that the data contract knows: of settings by what they are for, of fields by name."""
    other = set(AlertType) - AMOUNT_TYPES - {AlertType.TRANSACTION_COUNT}
    return {
        "channels": [channel.value for channel in Channel],
        "amount_types": [kind.value for kind in AMOUNT_TYPES],
        "count_types": [AlertType.TRANSACTION_COUNT.value],
        "other_types": [kind.value for kind in other],
        **{name: sorted(values) for name, values in FIELDS.items()},
    }


def assign_watermarks(
    table_env: StreamTableEnvironment, view: str, topic: Any, uid: str, move_late: bool = False
) -> Table:
    """Give the records of a topic watermarks that say up to when it has been read.

    Args:
        table_env: Where the view is.
        view: All records, unusable ones too, with written_at, source_partition and source_offset.
        topic: Its `topic_source`.
        uid: Of the operator.
        move_late: Whether a record that comes behind the watermark gets a later written_at: SQL that goes by
            event time would drop it.
    """
    records = table_env.from_path(view)._j_table
    java = _operators().assignWatermarks(table_env._j_tenv, records, topic, move_late, uid)
    return Table(java, table_env)


def look_up(
    table_env: StreamTableEnvironment, rows: str, key: str, versions: str, late: int, uid: str
) -> Table:
    """Join rows with the values that their key had at their time; nulls where it had none.

    Args:
        table_env: Where the views are.
        rows: The view of what asks, with rules_time.
        key: The column of the key, in both views.
        versions: The key, its values (all null: they have ended) and written_at, which has watermarks.
        late: How late rows may come, by their rules_time; milliseconds.
        uid: Of the operator.
    """
    left, right = (table_env.from_path(view)._j_table for view in (rows, versions))
    return Table(_operators().lookUp(table_env._j_tenv, left, key, right, late, uid), table_env)


def limit(
    table_env: StreamTableEnvironment,
    rows: str,
    key: str,
    time: str,
    most: int,
    within: int,
    metric: CounterMetric,
) -> Table:
    """Let at most so many rows of each key pass within a time; leave the others out, and count them.

    Args:
        table_env: Where the view is.
        rows: The view.
        key: The column of the key.
        time: The column with a row's time.
        most: How many rows.
        within: The time, milliseconds.
        metric: Counts what is left out; its operator is this one.
    """
    java = table_env.from_path(rows)._j_table
    uid = metric.operator.replace(" ", "-")
    return Table(
        _operators().limit(table_env._j_tenv, java, key, time, most, within, metric.name, uid), table_env
    )


def topic_source(config: Config, topic: Topic, patient: bool = False) -> Any:
    """Return what an operator must know to follow a topic's end offsets.

    Args:
        config: The environment.
        topic: The topic.
        patient: Whether it waits for ever for a topic that does not get on.
    """
    rules = config.rules
    return get_gateway().jvm.alerts.temporal.TopicSource(
        topic.name,
        config.kafka.java(),
        rules.probe_interval,
        rules.clock_skew,
        sys.maxsize if patient else rules.max_wait,
        sys.maxsize if patient else rules.max_lag,
    )


def _operators() -> Any:
    return get_gateway().jvm.alerts.temporal.Operators
