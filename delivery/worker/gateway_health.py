"""Which gateways are up, by what their hand-overs come to."""

import logging
import time
from dataclasses import replace

from delivery.gateways.base import Outcome, Result
from delivery.metrics import Metrics
from delivery.worker.flow import Routes

_log = logging.getLogger(__name__)
_TIMEOUTS_IN_A_ROW = 20
"""So many hand-overs without any answer mean that the gateway is down."""


class Health:
    """Tells the routes that are down from alerts that have a fault of their own."""

    def __init__(self, routes: Routes, metrics: Metrics) -> None:
        """All are up."""
        self._routes, self._metrics = routes, metrics
        self._timeouts: dict[str, int] = {}
        self._answered: dict[str, float] = {}

    def answer(self, route: str) -> None:
        """A hand-over was answered, whatever the answer was."""
        self._timeouts[route] = 0

    def no_answer(self, route: str) -> Outcome:
        """What a hand-over without an answer comes to."""
        self._timeouts[route] = self._timeouts.get(route, 0) + 1
        down = self._timeouts[route] >= _TIMEOUTS_IN_A_ROW
        return Outcome(Result.RETRY, reason="no answer in time", gateway_down=down)

    def heed(self, route: str, outcome: Outcome, started: float) -> Outcome:
        """Note whether the gateway is up. While it answers others, a fault is this alert's own.

        Args:
            route: Where the alert went.
            outcome: What the gateway said of it.
            started: Monotonic seconds when it was handed over.
        """
        if outcome.gateway_down and self._answered.get(route, 0.0) > started:
            return replace(outcome, gateway_down=False)
        if outcome.gateway_down:
            if self._routes.failed(route):
                _log.warning("%s: the gateway is down (%s): alerts wait", route, outcome.reason)
                self._metrics.gateway(route, up=False)
        elif self._timeouts.get(route, 0) == 0:
            self._answered[route] = time.monotonic()
            if self._routes.answered(route):
                _log.warning("%s: the gateway is up again", route)
                self._metrics.gateway(route, up=True)
        return outcome
