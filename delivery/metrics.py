"""The metrics of one sender process; each series carries its channel."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry

from account_alerts.model.alerts import DeliveryState
from account_alerts.service import metrics

PENDING_STATES = (DeliveryState.CLAIMED, DeliveryState.DEFERRED, DeliveryState.RETRYING)
"""The states of alerts that are not done."""


class SenderMetrics:
    """What a sender reports to Prometheus."""

    def __init__(self, channel: str, registry: CollectorRegistry) -> None:
        """Start at zero, with the channel's gateway up."""
        self._channel = channel
        self.received = metrics.SENDER_RECEIVED_RECORDS.create(registry).labels(channel)
        self.duplicates = metrics.SENDER_DUPLICATE_RECORDS.create(registry).labels(channel)
        self.dead_letters = metrics.SENDER_DEAD_LETTERS.create(registry).labels(channel)
        self.gone_devices = metrics.SENDER_GONE_DEVICES.create(registry).labels(channel)
        self.lost_leases = metrics.SENDER_LOST_LEASES.create(registry).labels(channel)
        self._ready = False
        self._ready_gauge = metrics.SENDER_READY.create(registry).labels(channel)
        self.lag = metrics.SENDER_LAG.create(registry).labels(channel)
        self.in_flight = metrics.SENDER_IN_FLIGHT.create(registry).labels(channel)
        self.send_latency = metrics.SENDER_SEND_LATENCY.create(registry).labels(channel)
        self._deliveries = metrics.SENDER_DELIVERIES.create(registry)
        self._overdue = metrics.SENDER_OLDEST_OVERDUE.create(registry)
        self._routes: set[str] = set()
        self._pending = metrics.SENDER_PENDING.create(registry)
        self._gateway_up = metrics.SENDER_GATEWAY_UP.create(registry)
        for state in DeliveryState:
            if state is not DeliveryState.CLAIMED:
                self._deliveries.labels(channel, state)
        self.set_gateway(channel, up=True)

    def is_ready(self) -> bool:
        """Tell whether alerts are taken."""
        return self._ready

    def set_ready(self, ready: bool) -> None:
        """Report whether alerts are taken."""
        self._ready = ready
        self._ready_gauge.set(ready)

    def count_state(self, state: DeliveryState) -> None:
        """Count a state that an alert has reached."""
        self._deliveries.labels(self._channel, state).inc()

    def set_gateway(self, route: str, *, up: bool) -> None:
        """Report whether a gateway takes messages."""
        self._gateway_up.labels(self._channel, route).set(up)

    def set_pending(self, counts: Mapping[DeliveryState, int], overdue: Mapping[str, float]) -> None:
        """Report the alerts that are not done.

        Args:
            counts: How many, by state.
            overdue: For how many seconds one has been due and is not sent, by route.
        """
        for state in PENDING_STATES:
            self._pending.labels(self._channel, state).set(counts.get(state, 0))
        for route in self._routes - overdue.keys():
            self._overdue.remove(self._channel, route)
        self._routes = {*overdue, self._channel}
        for route in self._routes:
            self._overdue.labels(self._channel, route).set(overdue.get(route, 0))
