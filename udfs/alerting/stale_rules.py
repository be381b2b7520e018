"""Let bookings go on when the rules lag or are out of reach.

A booking waits for the rules of its time. When the heartbeats of the alert-rules job stop or fall behind by
more than ``rules.max_wait``, this writes fallback heartbeats in their place, so that no booking waits longer:
it is then joined with the newest rules known. They are written to the partitions of `alert-rules` themselves,
behind all rows that are there.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import confluent_kafka
from pyflink.common import Row, Types
from pyflink.datastream import ProcessFunction, RuntimeContext

from account_alerts.config import Config
from account_alerts.config.jobs import Rules
from account_alerts.kafka.clients import consumer, partitions
from account_alerts.records.codec import codec
from account_alerts.service.metrics import ALERTING_FALLBACK_HEARTBEATS, ALERTING_RULES_AGE
from udfs.partitions import FALLBACK_HEARTBEAT, heartbeat_keys

_log = logging.getLogger(__name__)
RULES_ROW = Types.ROW_NAMED(
    ["record_key", "record", "record_time"],
    [Types.STRING(), Types.PRIMITIVE_ARRAY(Types.BYTE()), Types.LONG()],
)
"""A record for `alert-rules`: key, value, and its time in milliseconds UTC."""

_BATCH = 10_000
_TAIL = 1_000


@dataclass
class HeartbeatMonitor:
    """Decide which partitions are overdue; all times are milliseconds UTC."""

    rules: Rules
    started: int
    latest: dict[int, int] = field(default_factory=dict)
    """By partition: up to when its rules are complete, from heartbeats since the start."""
    seen: set[int] = field(default_factory=set)
    """Partitions that had a heartbeat before the start: their rules had been complete once."""

    def observe(self, partition: int, known_until: int) -> None:
        """Note a heartbeat; one from before the start says only that there have been some."""
        self.seen.add(partition)
        if known_until >= self.started:
            self.latest[partition] = max(known_until, self.latest.get(partition, 0))

    def watermark(self) -> int:
        """Return up to when the rules of all partitions are complete, by heartbeats since the start."""
        return min(
            (self.latest.get(partition, self.started) for partition in self.seen), default=self.started
        )

    def overdue(self, now: int) -> Iterator[tuple[int, int]]:
        """Give (partition, time up to which bookings may go on) of each overdue partition.

        After a start the rules get ``start_wait`` to catch up; where they never were complete, they are
        waited for without end, for there is nothing yet to go by.
        """
        for partition in sorted(self.seen):
            known_until = self.latest.get(partition)
            if known_until is None:
                late = now - self.started > self.rules.start_wait
            else:
                late = now - known_until > self.rules.max_wait
            if late:
                yield partition, now - self.rules.max_wait


class StaleRulesFallback(ProcessFunction):  # type: ignore[misc]
    """At every tick write a fallback heartbeat for each overdue partition, as a row of `alert-rules`."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._config = config

    def open(self, runtime_context: RuntimeContext) -> None:
        """Read the end of each partition of `alert-rules`, and follow it from there."""
        topic = self._config.topics.alert_rules
        self._topic = topic.name
        self._codec = codec(self._config)
        self._consumer: confluent_kafka.Consumer = consumer(self._config)
        starts = []
        for part in partitions(self._consumer, topic.name):
            low, high = self._consumer.get_watermark_offsets(part, timeout=10.0)
            starts.append(confluent_kafka.TopicPartition(part.topic, part.partition, max(low, high - _TAIL)))
        self._consumer.assign(starts)
        self._keys = heartbeat_keys(len(starts), FALLBACK_HEARTBEAT)
        self._heartbeats = {key.encode() for key in heartbeat_keys(len(starts))}
        self._fallbacks = {key.encode() for key in self._keys}
        self._monitor = HeartbeatMonitor(self._config.rules, _now())
        self._overdue: list[int] = []
        self._age = runtime_context.get_metrics_group().distribution(ALERTING_RULES_AGE.name)
        self._written = runtime_context.get_metrics_group().counter(ALERTING_FALLBACK_HEARTBEATS.name)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def process_element(self, tick: Any, ctx: ProcessFunction.Context) -> Iterator[Row]:
        """Read the heartbeats since the last tick, and write fallback ones where they are overdue."""
        while messages := self._consumer.consume(_BATCH, timeout=0):
            for message in messages:
                key = message.key()
                if message.error() is not None:
                    continue
                if key in self._heartbeats:
                    self._monitor.observe(int(message.partition() or 0), message.timestamp()[1])
                elif key in self._fallbacks:  # Written in place of heartbeats: there had been some.
                    self._monitor.seen.add(int(message.partition() or 0))
        now = _now()
        self._age.update(now - self._monitor.watermark())
        stale = list(self._monitor.overdue(now))
        self._report([partition for partition, _ in stale])
        for partition, time_ms in stale:
            value = {"known_until": time_ms, "version": time_ms, "rules": []}
            record = self._codec.encode("AlertRules", value, self._topic)
            self._written.inc()
            yield Row(self._keys[partition], record, time_ms)

    def _report(self, overdue: list[int]) -> None:
        if overdue != self._overdue:
            if overdue:
                _log.error(
                    "the rules of partitions %s of %s are overdue: bookings go on with the newest rules "
                    "known after rules.max_wait; look at the job alert-rules",
                    overdue,
                    self._topic,
                )
            else:
                _log.warning("the rules of %s are no longer overdue", self._topic)
            self._overdue = overdue


def _now() -> int:
    return int(time.time() * 1000)
