"""The Flink functions of the job reminders: who agreed to a reminder, as of the time it is due."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import RuntimeContext

from account_alerts.config import Config
from account_alerts.model.alerts import AlertType
from account_alerts.service.metrics import REMINDERS_ALERTS, REMINDERS_DUE_APPLICATIONS
from udfs.partitions import find_partition
from udfs.reminders.reminders import (
    Consent,
    DueReminder,
    Reminder,
    build_reminders,
    dump_waiting,
    load_waiting,
    read_consent,
)
from udfs.temporal.end_offsets import ShardOffsets, assign_shard, partition_name, shard_count
from udfs.temporal.lookup import Pending, TemporalLookup

REMINDERS_ROW = Types.ROW_NAMED(
    list(Reminder._fields), [*[Types.STRING()] * (len(Reminder._fields) - 1), Types.LONG()]
)
"""A Reminder."""


class FindConsent(TemporalLookup[DueReminder, Consent]):
    """Make of an application that is due its messages, one for each address (`build_reminders`)."""

    def __init__(self, config: Config) -> None:
        """Look up settings."""
        topics = config.topics
        super().__init__(config, topics.alert_settings, topics.click_events.retention or 0)

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state, codec and metrics."""
        super().open(runtime_context)
        metrics = runtime_context.get_metrics_group()
        self._due = metrics.counter(REMINDERS_DUE_APPLICATIONS.name)
        self._alerts = metrics.counter(REMINDERS_ALERTS.name)

    def _decode(self, key: str, record: bytes | None) -> Consent | None:
        return read_consent(self._codec, key, record)

    def _pending(self, payload: DueReminder) -> Pending:
        identity = (AlertType.APPLICATION_REMINDER.value, payload["application_id"], payload["customer_id"])
        return Pending(payload["customer_id"], payload["due_ms"], identity)

    def _on_ready(self, payload: DueReminder, value: Consent | None) -> Iterator[Row]:
        self._due.inc()
        for reminder in build_reminders(payload, value):
            self._alerts.inc()
            yield Row(**reminder._asdict())

    def _dump(self, payload: DueReminder) -> dict[str, Any]:
        return dump_waiting(payload)

    def _load(self, stored: Mapping[str, Any]) -> DueReminder:
        return load_waiting(stored)


def to_shard(config: Config) -> Callable[[Row], tuple[int, DueReminder]]:
    """Make of a row of reminders/due_reminders.sql what the look-up reads: (shard that knows, reminder)."""
    partitions, shards = config.topics.alert_settings.partitions, shard_count(config)

    def reminder(row: Row) -> tuple[int, DueReminder]:
        return assign_shard(find_partition(row.customer_id, partitions), shards), {
            "customer_id": row.customer_id,
            "application_id": row.application_id,
            "product": row.product,
            "begun_ms": row.begun_ms,
            "due_ms": row.due_ms,
        }

    return reminder


def keep_settings(config: Config) -> Callable[[ShardOffsets], ShardOffsets]:
    """Leave of the end offsets those of the settings: nothing else is read here."""
    topic, partitions = config.topics.alert_settings.name, config.topics.alert_settings.partitions
    names = {partition_name(topic, number) for number in range(partitions)}

    def only(offsets: ShardOffsets) -> ShardOffsets:
        shard, (time, last_offsets) = offsets
        return shard, (time, {name: last for name, last in last_offsets.items() if name in names})

    return only
