"""A producer that sends bookings evenly spaced, in a process of its own.

    python -m bench.paced_producer FILE RATE SECONDS SHARE FIRST ACCOUNTS

FILE is a configuration. It prints a JSON object when it is about to begin (what it sends), and one at its
end (how well it kept time).
"""

import json
import sys
import time
from pathlib import Path

from account_alerts.config import load
from account_alerts.kafka.clients import producer
from bench import workload

_LATE_SECONDS = 0.002
_NAP_SECONDS = 0.0005
"""Shorter pauses are not worth a call."""
_QUICK = 1_000


def main(file: str, rate: float, seconds: float, share: float, first: int, accounts: int) -> None:
    """Send `rate` bookings a second for so long; the given share of them raises alerts."""
    config = load(Path(file))
    topic = config.topics.account_entries.name
    pairs, alerts = [], 0
    for block in workload.bookings(first, int(rate * seconds), accounts, share):
        pairs += block.pairs
        alerts += block.alerts
    # A slow flow goes record by record; a quick one in batches of a millisecond, as any bridge would send it:
    # the requests would cost more than what is measured.
    client = producer(config, **{"linger.ms": 0 if rate < _QUICK else 1, "compression.type": "none"})
    client.list_topics(topic, timeout=10)
    print(json.dumps({"bookings": len(pairs), "alerts": alerts}), flush=True)

    late, latest = 0, 0.0
    began = time.perf_counter()
    for number, (key, value) in enumerate(pairs):
        due = began + number / rate
        delay = due - time.perf_counter()
        if delay > _NAP_SECONDS:
            time.sleep(delay)
        behind = time.perf_counter() - due
        late += behind > _LATE_SECONDS
        latest = max(latest, behind)
        client.produce(topic, value, key)
        client.poll(0)
    elapsed = time.perf_counter() - began
    client.flush(30)
    cpu = time.process_time()
    print(
        json.dumps(
            {
                "rate": round(len(pairs) / max(elapsed, 1e-9), 1),
                "late_share": round(late / max(len(pairs), 1), 5),
                "latest_ms": round(latest * 1000, 2),
                "cpu_seconds": round(cpu, 2),
            }
        )
    )


if __name__ == "__main__":
    path, *numbers = sys.argv[1:]
    pace, length, raised = map(float, numbers[:3])
    main(path, pace, length, raised, int(numbers[3]), int(numbers[4]))
