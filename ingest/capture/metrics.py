"""The publisher's metrics, as account_alerts/service/metrics.py declares them."""

from prometheus_client import CollectorRegistry

from account_alerts.service import metrics


class Metrics:
    """Counters, each by topic, and the connector's state."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make them in a registry."""
        self.records = metrics.PUBLISHER_RECORDS.create(registry)
        self.skipped = metrics.PUBLISHER_SKIPPED_CHANGES.create(registry)
        self.dead_letters = metrics.PUBLISHER_DEAD_LETTERS.create(registry)
        self.latency = metrics.PUBLISHER_LATENCY.create(registry)
        self.heartbeat_age = metrics.PUBLISHER_HEARTBEAT_AGE.create(registry)
        self.lost_heartbeats = metrics.PUBLISHER_LOST_HEARTBEATS.create(registry)
        self.connector_restarts = metrics.PUBLISHER_CONNECTOR_RESTARTS.create(registry)
        self.connector_running = metrics.PUBLISHER_CONNECTOR_RUNNING.create(registry)
