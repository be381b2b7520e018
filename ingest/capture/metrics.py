"""What a publisher tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED = Counter("alerts_capture_published", "Records that Kafka has", ["topic"])
SKIPPED = Counter(
    "alerts_capture_skipped", "Changes that became no record, or were published before", ["topic"]
)
DEAD_LETTERS = Counter("alerts_capture_dead_letters", "Changes that could not be used", ["topic"])
LATENCY = Histogram(
    "alerts_capture_latency_seconds",
    "From the commit in the bank's database to Kafka's answer",
    ["topic"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
CONNECTOR = Gauge("alerts_capture_connector_running", "1 while the connector runs, as this publisher sees it")
