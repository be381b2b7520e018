"""The Flink function that keeps analysts' rules to their limits."""

import json
import logging
from collections.abc import Iterator

from pyflink.common import Row, Types
from pyflink.datastream import KeyedCoProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor

from account_alerts.config import Config
from account_alerts.service.metrics import (
    ANALYST_ALERTS_PAUSED_RULES,
    ANALYST_ALERTS_QUARANTINED,
    ANALYST_ALERTS_WITHOUT_ADDRESS,
)
from udfs.analyst_rules.circuit_breaker import CircuitBreaker

_log = logging.getLogger(__name__)
_MINUTE_MS = 60_000
_TEXTS = (
    *("customer_id", "alert_id", "channel", "address", "alert_type", "account_id", "currency", "entry_id"),
    *("setting_id", "language", "topic"),
)
_NUMBERS = ("amount_minor", "balance_minor", "threshold_minor", "booked_at")
ALERTS_ROW = Types.ROW_NAMED(
    [*_TEXTS, *_NUMBERS], [*[Types.STRING()] * len(_TEXTS), *[Types.LONG()] * len(_NUMBERS)]
)
"""A row of sql/analyst_rules/analyst_alerts.sql, with the topic it goes to."""


class LimitRules(KeyedCoProcessFunction):  # type: ignore[misc]
    """Turn alerts into rows with their topic: their channel's, or the quarantine's; keyed by rule.

    An alert that comes again (its booking was read again, or found again) was sent or quarantined already,
    and counts for nothing. One without an address is counted only.
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
        self._without_address = metrics.counter(ANALYST_ALERTS_WITHOUT_ADDRESS.name)

    def process_element1(self, alert: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """Decide where one alert goes."""
        if alert.alert_id is None:
            self._without_address.inc()
            return
        if self._known.contains(alert.alert_id):
            return
        breaker = self._breaker()
        was_open, minutes = breaker.is_open, breaker.minutes()
        allowed = breaker.allow(alert.written_at, alert.found_at, alert.per_minute)
        self._state.update(json.dumps(breaker.to_json()))
        self._known.put(alert.alert_id, alert.written_at // _MINUTE_MS)
        self._forget(minutes - breaker.minutes())
        if breaker.is_open and not was_open:
            self._paused.inc()
            _log.error(
                "rule %s raised more than its %d alerts a minute: it is paused, its further alerts are "
                "quarantined. See `alerts rules list`",
                alert.alert_type,
                alert.per_minute,
            )
        if not allowed:
            self._quarantined.inc()
        row = {
            **alert.as_dict(),
            "topic": self._channels[alert.channel] if allowed else self._quarantine,
        }
        yield Row(**{name: row[name] for name in (*_TEXTS, *_NUMBERS)})

    def process_element2(self, reset: Row, ctx: KeyedCoProcessFunction.Context) -> Iterator[Row]:
        """Close the rule's circuit breaker."""
        breaker = self._breaker()
        minutes = breaker.minutes()
        breaker.reset(reset.reset_at)
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
