"""The Flink functions of the job for analysts' alerts, but for its look-ups (`customers`)."""

import json
import logging
from collections.abc import Iterator

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, ProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.records.customers import as_bytes
from account_alerts.service.metrics import ANALYST_ALERTS_PAUSED_RULES, ANALYST_ALERTS_QUARANTINED
from udfs.analyst_rules.circuit_breaker import CircuitBreaker
from udfs.analyst_rules.matches import RuleAlert, RuleMatch, read_breaker_reset, read_match
from udfs.partitions import find_partition
from udfs.temporal.end_offsets import assign_shard, shard_count

_log = logging.getLogger(__name__)
_MINUTE_MS = 60_000
_TEXTS = (
    *("customer_id", "alert_id", "channel", "address", "alert_type", "account_id", "currency", "entry_id"),
    *("setting_id", "language", "threshold_minor", "amount_minor", "balance_minor", "topic"),
)
ALERTS_ROW = Types.ROW_NAMED([*_TEXTS, "booked_at"], [*[Types.STRING()] * len(_TEXTS), Types.LONG()])
"""An alert with the topic it goes to; amounts are decimal integers, booked_at milliseconds UTC."""


class ReadMatches(ProcessFunction):  # type: ignore[misc]
    """Turn records into matches, each with the shard that knows who may see its account: (shard, match)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._topic = config.topics.rule_hits.name
        self._partitions = config.topics.account_authorizations.partitions
        self._shards = shard_count(config)

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[int, RuleMatch]]:
        """Read one record of the matches; one that a rule took back stays raised."""
        match = read_match(as_bytes(record.record)) if record.source_topic == self._topic else None
        if match is not None:
            shard = assign_shard(find_partition(match["account_id"], self._partitions), self._shards)
            yield shard, {**match, "found_at": record.written_ms}


class ReadBreakerResets(ProcessFunction):  # type: ignore[misc]
    """Turn records into (rule, Kafka time at which its circuit breaker was closed)."""

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._topic = config.topics.analyst_rules.name

    def process_element(self, record: Row, ctx: ProcessFunction.Context) -> Iterator[tuple[str, int]]:
        """Read one record about a rule."""
        if record.source_topic == self._topic:
            rule = read_breaker_reset(as_bytes(record.record_key), as_bytes(record.record))
            if rule is not None:
                yield rule, record.written_ms


class LimitRules(KeyedCoProcessFunction):  # type: ignore[misc]
    """Turn alerts into rows with their topic: their channel's, or the quarantine's; keyed by rule.

    An alert that comes again (its booking was read again, or found again) was sent or quarantined already,
    and counts for nothing.
    """

    def __init__(self, config: Config) -> None:
        """Take what is needed from the configuration."""
        self._quarantine = config.topics.quarantined_alerts.name
        self._channels = {channel: topic.name for channel, topic in config.topics.map_channels().items()}

    def open(self, runtime_context: RuntimeContext) -> None:
        """Prepare state and metrics."""
        self._state = runtime_context.get_state(ValueStateDescriptor("breaker", Types.STRING()))
        self._known = runtime_context.get_map_state(MapStateDescriptor("known", Types.STRING(), Types.INT()))
        metrics = runtime_context.get_metrics_group()
        self._paused = metrics.counter(ANALYST_ALERTS_PAUSED_RULES.name)
        self._quarantined = metrics.counter(ANALYST_ALERTS_QUARANTINED.name)

    def process_element1(self, alert: RuleAlert, ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """Decide where one alert goes."""
        if self._known.contains(alert["alert_id"]):
            return
        breaker = self._breaker()
        was_open, minutes = breaker.is_open, breaker.minutes()
        allowed = breaker.allow(alert["written_at"], alert["found_at"], alert["per_minute"])
        self._state.update(json.dumps(breaker.to_json()))
        self._known.put(alert["alert_id"], alert["written_at"] // _MINUTE_MS)
        self._forget(minutes - breaker.minutes())
        if breaker.is_open and not was_open:
            self._paused.inc()
            _log.error(
                "rule %s raised more than its %d alerts a minute: it is paused, its further alerts are "
                "quarantined. See `alerts rules list`",
                alert["alert_type"],
                alert["per_minute"],
            )
        if not allowed:
            self._quarantined.inc()
        row = {**alert, "topic": self._channels[alert["channel"]] if allowed else self._quarantine}
        yield Row(**{name: row[name] for name in (*_TEXTS, "booked_at")})

    def process_element2(self, reset: tuple[str, int], ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """Close the rule's circuit breaker."""
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

    def _breaker(self) -> CircuitBreaker:
        stored = self._state.value()
        return CircuitBreaker.from_json(json.loads(stored)) if stored else CircuitBreaker()
