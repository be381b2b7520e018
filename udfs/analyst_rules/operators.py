"""The Flink functions of the adhoc-alerts job; what they decide stands in the pure modules beside it."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, ProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.records.customers import as_bytes
from udfs.analyst_rules.breaker import Breaker
from udfs.analyst_rules.matches import Hit, read_hit, read_reset
from udfs.partitions import partition_of
from udfs.temporal.end_offsets import shard_of, shards_of

_log = logging.getLogger(__name__)
_MINUTE_MS = 60_000
_TEXTS = (
    *("customer_id", "alert_id", "channel", "address", "alert_type", "account_id", "currency", "entry_id"),
    *("setting_id", "language", "threshold_minor", "amount_minor", "balance_minor", "topic"),
)
ALERTS_ROW = Types.ROW_NAMED([*_TEXTS, "booked_at"], [*[Types.STRING()] * len(_TEXTS), Types.LONG()])
"""An alert with the topic it goes to; amounts are decimal integers, booked_at milliseconds UTC."""


class ReadHits(ProcessFunction):  # type: ignore[misc]
    """Records to hits, each with the shard that knows who may see its account: (shard, hit)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._hits = config.topics.rule_hits.name
        self._partitions = config.topics.account_authorizations.partitions
        self._shards = shards_of(config)

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[int, Hit]]:
        """One record of the hits; what a rule took back stays raised."""
        hit = read_hit(as_bytes(record.record)) if record.source_topic == self._hits else None
        if hit is not None:
            shard = shard_of(partition_of(hit["account_id"], self._partitions), self._shards)
            yield shard, {**hit, "found_at": record.written_ms}


class ReadResets(ProcessFunction):  # type: ignore[misc]
    """Records to (rule, Kafka time at which its breaker was closed)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._rules = config.topics.analyst_rules.name

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[str, int]]:
        """One record about a rule."""
        if record.source_topic == self._rules:
            rule = read_reset(as_bytes(record.record_key), as_bytes(record.record))
            if rule is not None:
                yield rule, record.written_ms


class BreakRules(KeyedCoProcessFunction):  # type: ignore[misc]
    """Alerts to rows with the topic they go to: their channel's, or the held ones; keyed by rule.

    An alert that comes again (its booking was read again, or found again) was sent or held already, and
    counts for nothing.
    """

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._held = config.topics.quarantined_alerts.name
        self._channels = {channel: topic.name for channel, topic in config.topics.of_channels().items()}

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state and metrics."""
        self._state = runtime_context.get_state(ValueStateDescriptor("breaker", Types.STRING()))
        self._known = runtime_context.get_map_state(MapStateDescriptor("known", Types.STRING(), Types.INT()))
        metrics = runtime_context.get_metrics_group()
        self._stopped = metrics.counter("rules_stopped")
        self._held_count = metrics.counter("alerts_held")

    def process_element1(self, alert: dict[str, Any], ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """One alert."""
        if self._known.contains(alert["alert_id"]):
            return
        breaker = self._breaker()
        was_open, minutes = breaker.is_open, breaker.minutes()
        passes = breaker.lets_through(alert["written_at"], alert["found_at"], alert["per_minute"])
        self._state.update(json.dumps(breaker.to_json()))
        self._known.put(alert["alert_id"], alert["written_at"] // _MINUTE_MS)
        self._forget(minutes - breaker.minutes())
        if breaker.is_open and not was_open:
            self._stopped.inc()
            _log.error(
                "rule %s raised more than its %d alerts a minute: it is stopped, the others are held. See "
                "`alerts rules list`",
                alert["alert_type"],
                alert["per_minute"],
            )
        if not passes:
            self._held_count.inc()
        row = {**alert, "topic": self._channels[alert["channel"]] if passes else self._held}
        yield Row(**{name: row[name] for name in (*_TEXTS, "booked_at")})

    def process_element2(self, reset: tuple[str, int], ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """The rule's breaker was closed."""
        breaker = self._breaker()
        minutes = breaker.minutes()
        breaker.reset(reset[1])
        self._state.update(json.dumps(breaker.to_json()))
        self._forget(minutes - breaker.minutes())
        yield from ()

    def _forget(self, minutes: set[int]) -> None:
        """Forget the alerts of minutes that are no longer counted."""
        if minutes:
            for alert_id in [alert_id for alert_id, minute in self._known.items() if minute in minutes]:
                self._known.remove(alert_id)

    def _breaker(self) -> Breaker:
        stored = self._state.value()
        return Breaker.from_json(json.loads(stored)) if stored else Breaker()
