"""What a sender does beside sending: deletes old rows of the ledger, and reports how it stands."""

import asyncio
from collections import Counter

from account_alerts.model.alerts import DeliveryState
from delivery.ledger.port import Ledger
from delivery.metrics import SenderMetrics
from delivery.worker.capacity import Capacity
from delivery.worker.ports import AlertSource

_PRUNE_SECONDS = 60.0
_PORTION_SECONDS = 0.1
_REPORT_SECONDS = 5.0


async def prune_ledger(ledger: Ledger, retention: int) -> None:
    """Delete rows older than `retention` milliseconds, in small portions once a minute, without end."""
    while True:
        while await ledger.prune(retention):
            await asyncio.sleep(_PORTION_SECONDS)
        await asyncio.sleep(_PRUNE_SECONDS)


async def report_status(
    ledger: Ledger, alerts: AlertSource, capacity: Capacity, metrics: SenderMetrics
) -> None:
    """Set the gauges every few seconds, without end."""
    while True:
        await report_once(ledger, alerts, capacity, metrics)
        await asyncio.sleep(_REPORT_SECONDS)


async def report_once(
    ledger: Ledger, alerts: AlertSource, capacity: Capacity, metrics: SenderMetrics
) -> None:
    """Set the gauges."""
    counts: Counter[DeliveryState] = Counter()
    overdue: dict[str, float] = {}
    for found in await ledger.count_pending():
        counts[found.state] += found.count
        overdue[found.route] = max(found.overdue, overdue.get(found.route, 0))
    metrics.set_pending(counts, overdue)
    metrics.lag.set(alerts.lag)
    metrics.in_flight.set(capacity.in_flight)
