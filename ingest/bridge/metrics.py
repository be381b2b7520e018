"""The bridge's metrics, as account_alerts/service/metrics.py declares them."""

from prometheus_client import CollectorRegistry

from account_alerts.service import metrics
from ingest.bridge.in_flight import Outcome


class Metrics:
    """Counters and gauges of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make them in a registry."""
        settled = metrics.BRIDGE_MESSAGES.create(registry)
        self.messages = {outcome: settled.labels(outcome.value) for outcome in Outcome}
        self.bookings = metrics.BRIDGE_BOOKINGS.create(registry)
        self.dead_letters = metrics.BRIDGE_DEAD_LETTERS.create(registry)
        self.skipped_entries = metrics.BRIDGE_SKIPPED_ENTRIES.create(registry)
        self.reconnects = metrics.BRIDGE_RECONNECTS.create(registry)
        self.connected = metrics.BRIDGE_CONNECTED.create(registry)
        self.unsettled = metrics.BRIDGE_UNSETTLED_MESSAGES.create(registry)
        self.settle_duration = metrics.BRIDGE_SETTLE_DURATION.create(registry)
