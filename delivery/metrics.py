"""What a sender tells Prometheus about itself."""

import logging

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

_log = logging.getLogger(__name__)


class Metrics:
    """The numbers of one process; each carries its channel."""

    def __init__(self, channel: str) -> None:
        """All are zero."""
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str) -> Counter:
            found = Counter(f"sender_{name}", text, ["channel"], registry=registry)
            labelled: Counter = found.labels(channel)
            return labelled

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"sender_{name}", text, ["channel", *labels], registry=registry)

        self.received = counter("received", "Records read from Kafka")
        self.repeated = counter("repeated", "Records whose alert the ledger knew already")
        self.handed_over = counter("handed_over", "Alerts that the gateway took")
        self.confirmed = counter("confirmed", "Alerts that a receipt says arrived")
        self.undelivered = counter("undelivered", "Alerts that a receipt says did not arrive")
        self.refused = counter("refused", "Alerts that the gateway will never take")
        self.retries = counter("retries", "Hand-overs that are tried again")
        self.held = counter("held", "Alerts held for the customer's peace")
        self.withdrawn = counter("withdrawn", "Held alerts without authorization, address or setting")
        self.expired = counter("expired", "Alerts that were too old when they could be sent")
        self.dead_letters = counter("dead_letters", "Records written to dead-letters")
        self.leases_lost = counter("leases_lost", "Alerts left to another process, as this one was too slow")
        self.ready = gauge("ready", "1: profiles are known and alerts are taken").labels(channel)
        self.lag = gauge("lag", "Records on Kafka that are not yet in the ledger").labels(channel)
        self.in_flight = gauge("in_flight", "Alerts that are on their way").labels(channel)
        self.oldest = gauge(
            "oldest_undelivered_seconds", "Age of the oldest alert that should be out"
        ).labels(channel)
        self._waiting = gauge("waiting", "Alerts in the ledger that are not done", "state")
        self._up = gauge("gateway_up", "1: the gateway takes messages", "route")
        self._channel = channel
        self.waited: Histogram = Histogram(
            "sender_hand_over_seconds",
            "From the alert on Kafka to the gateway having it, of those that were never held or tried again",
            ["channel"],
            buckets=(0.005, 0.01, 0.02, 0.03, 0.06, 0.1, 0.25, 0.5, 1, 5, 30),
            registry=registry,
        ).labels(channel)
        self._by_state = {
            "handed over": self.handed_over,
            "refused": self.refused,
            "retry": self.retries,
            "held": self.held,
            "withdrawn": self.withdrawn,
            "expired": self.expired,
            "confirmed": self.confirmed,
            "undelivered": self.undelivered,
        }
        self.gateway(channel, up=True)

    def serve(self, port: int) -> None:
        """Answer Prometheus on a port; if another process of this machine has it, on none."""
        try:
            start_http_server(port, registry=self.registry)
        except OSError as error:
            _log.warning("metrics: port %d: %s; give this process another by --metrics-port", port, error)

    def became(self, state: str) -> None:
        """Count a state that an alert has reached."""
        self._by_state[state].inc()

    def gateway(self, route: str, *, up: bool) -> None:
        """Say whether a gateway takes messages."""
        self._up.labels(self._channel, route).set(up)

    def waiting(self, found: dict[str, tuple[int, float]]) -> None:
        """How many alerts are in each state that is not done, and the age of the oldest in seconds."""
        for state in ("claimed", "held", "retry"):
            self._waiting.labels(self._channel, state).set(found.get(state, (0, 0.0))[0])
        self.oldest.set(max((found[state][1] for state in ("claimed", "retry") if state in found), default=0))
