"""What the bridge counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

_MESSAGES = Counter("bridge_messages", "Messages settled, by what the broker was told", ["outcome"])
ACCEPTED = _MESSAGES.labels("accepted")
REJECTED = _MESSAGES.labels("rejected")
BOOKINGS = Counter("bridge_bookings", "Bookings that Kafka has acknowledged")
DEAD_LETTERS = Counter("bridge_dead_letters", "Messages that are dead letters, whole or in part")
SKIPPED = Counter("bridge_skipped", "Entries that are not booked (pending, future, information)")
RECONNECTS = Counter("bridge_reconnects", "Connections to the queue that were lost, or did not come about")
CONNECTED = Gauge("bridge_connected", "1 while messages are taken from the queue")
UNSETTLED = Gauge("bridge_in_hand", "Messages that were taken and are not settled")
SETTLE_SECONDS = Histogram(
    "bridge_seconds",
    "From taking a message to settling it",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 60),
)
