"""Judges which gateways are up, by the outcomes of sending."""

import logging
from dataclasses import replace

from account_alerts.service.clock import Clock
from delivery.gateways.base import Outcome
from delivery.gateways.outcomes import retry
from delivery.metrics import SenderMetrics
from delivery.worker.circuit_breaker import CircuitBreakers

_log = logging.getLogger(__name__)
_TIMEOUTS_IN_A_ROW = 20
"""So many attempts without any answer mean that the gateway is down."""


class GatewayHealth:
    """Tells routes that are down from alerts that have a fault of their own."""

    def __init__(self, breakers: CircuitBreakers, metrics: SenderMetrics, clock: Clock) -> None:
        """Begin with all gateways up."""
        self._breakers, self._metrics, self._clock = breakers, metrics, clock
        self._timeouts: dict[str, int] = {}
        self._answered_at: dict[str, float] = {}

    def record_answer(self, route: str) -> None:
        """Note that an attempt was answered, whatever the answer was."""
        self._timeouts[route] = 0

    def record_timeout(self, route: str) -> Outcome:
        """Note an attempt without an answer; returns its outcome."""
        self._timeouts[route] = self._timeouts.get(route, 0) + 1
        return retry("no answer in time", down=self._timeouts[route] >= _TIMEOUTS_IN_A_ROW)

    def record_outcome(self, route: str, outcome: Outcome, started: float) -> Outcome:
        """Open or close the route's breaker; returns the outcome as it counts for the alert.

        While the gateway answers others, a fault is this alert's own.

        Args:
            route: Where the alert went.
            outcome: What the gateway answered.
            started: Monotonic seconds when the attempt began.
        """
        if outcome.gateway_down and self._answered_at.get(route, started) > started:
            return replace(outcome, gateway_down=False)
        if outcome.gateway_down:
            if self._breakers.trip(route):
                _log.warning("%s: the gateway is down (%s): alerts wait", route, outcome.reason)
                self._metrics.set_gateway(route, up=False)
        elif self._timeouts.get(route, 0) == 0:
            self._answered_at[route] = self._clock.monotonic()
            if self._breakers.reset(route):
                _log.warning("%s: the gateway is up again", route)
                self._metrics.set_gateway(route, up=True)
        return outcome
