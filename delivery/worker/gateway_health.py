"""Judges which gateways are up, and whose fault an answer is, by the outcomes of sending."""

import logging
from collections import Counter, defaultdict
from dataclasses import replace

from account_alerts.service.clock import Clock
from delivery.alert import Delivery
from delivery.gateways.base import Outcome, Result
from delivery.gateways.outcomes import rejected, retry
from delivery.metrics import SenderMetrics
from delivery.worker.circuit_breaker import CircuitBreakers

_log = logging.getLogger(__name__)
_TIMEOUTS_IN_A_ROW = 20
"""So many attempts without any answer mean that the gateway is down."""
_ALERTS_IN_DOUBT = 5
"""Doubtful answers to so many alerts, and no message taken between them, are about us."""
_ATTEMPTS_IN_DOUBT = 4
"""So often an alert is tried before a doubtful answer counts as its address's own."""


class GatewayHealth:
    """Tells routes that are down from alerts that have a fault of their own."""

    def __init__(self, breakers: CircuitBreakers, metrics: SenderMetrics, clock: Clock) -> None:
        """Begin with all gateways up."""
        self._breakers, self._metrics, self._clock = breakers, metrics, clock
        self._timeouts: Counter[str] = Counter()
        self._doubts: defaultdict[str, set[str]] = defaultdict(set)
        """Alerts that were answered so since a message was taken, by route."""
        self._answered_at: dict[str, float] = {}
        """Monotonic seconds."""
        self._taken_at: dict[str, int] = {}
        """When a message was taken last, in milliseconds UTC."""

    def record_answer(self, route: str) -> None:
        """Note that an attempt was answered, whatever the answer was."""
        self._timeouts[route] = 0

    def record_timeout(self, route: str, reason: str) -> Outcome:
        """Note an attempt without an answer; returns its outcome."""
        self._timeouts[route] += 1
        return retry(reason, down=self._timeouts[route] >= _TIMEOUTS_IN_A_ROW)

    def record_outcome(self, delivery: Delivery, outcome: Outcome, started: float) -> Outcome:
        """Open or close the route's breaker; returns the outcome as it counts for the alert.

        While the gateway answers others, a fault is this alert's own.

        Args:
            delivery: The alert that was sent, or the first of a digest.
            outcome: What the gateway answered.
            started: Monotonic seconds when the attempt began.
        """
        route = delivery.route
        if outcome.unasked:
            return outcome
        if outcome.result is Result.SENT:
            self._doubts.pop(route, None)
            self._taken_at[route] = self._clock.now_ms()
        elif outcome.doubtful:
            outcome = self._resolve(delivery, outcome)
        if outcome.gateway_down:
            answers_others = self._answered_at.get(route, started) > started
            if answers_others or self._others_taken_since(delivery, outcome):
                return replace(outcome, gateway_down=False)
            if self._breakers.trip(route):
                _log.warning("%s: the gateway is down (%s): alerts wait", route, outcome.reason)
                self._metrics.set_gateway(route, up=False)
        elif self._timeouts[route] == 0 and not outcome.doubtful:
            self._answered_at[route] = self._clock.monotonic()
            if self._breakers.reset(route):
                _log.warning("%s: the gateway is up again", route)
                self._metrics.set_gateway(route, up=True)
        return outcome

    def _resolve(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        """Decide whether a doubtful answer is about the address or about us; it may stay open."""
        if delivery.attempt >= _ATTEMPTS_IN_DOUBT and self._others_taken_since(delivery, outcome):
            return rejected(outcome.reason or "refused")
        doubts = self._doubts[delivery.route]
        if len(doubts) < _ALERTS_IN_DOUBT:
            doubts.add(delivery.alert_id)
        return replace(outcome, gateway_down=outcome.gateway_down or len(doubts) == _ALERTS_IN_DOUBT)

    def _others_taken_since(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Tell whether an alert had the same answer before, and others were taken since."""
        last = delivery.last_retry
        if last is None or last.reason != outcome.reason:
            return False
        return self._taken_at.get(delivery.route, last.since) > last.since
