"""Writes what has become of alerts into the ledger, many at a time, behind the sending."""

import asyncio
from collections.abc import Callable, Sequence

from account_alerts.model.alerts import DeliveryState
from delivery.alert import Delivery, DeliveryUpdate
from delivery.ledger.port import Ledger
from delivery.metrics import SenderMetrics

OnWritten = Callable[[Sequence[Delivery]], None]


class LedgerWriter:
    """Collects updates and writes all there are in one statement."""

    def __init__(self, ledger: Ledger, metrics: SenderMetrics, on_written: OnWritten) -> None:
        """Write nothing yet; `on_written` is called with deliveries whose updates the ledger has."""
        self._ledger, self._metrics, self._on_written = ledger, metrics, on_written
        self._queue: list[tuple[DeliveryUpdate, Delivery]] = []
        self._queued = asyncio.Event()

    def add(self, update: DeliveryUpdate, delivery: Delivery) -> None:
        """Have an update written soon."""
        self._queue.append((update, delivery))
        self._queued.set()

    async def run(self) -> None:
        """Write updates as they come, without end.

        Raises:
            Exception: The ledger does not take them; nothing more is written.
        """
        while True:
            await self._queued.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write the updates that are queued now."""
        self._queued.clear()
        batch, self._queue = self._queue, []
        if not batch:
            return
        await self._ledger.update([update for update, _ in batch])
        self._on_written([delivery for _, delivery in batch])
        for update, delivery in batch:
            self._metrics.count_state(update.state)
            if update.state is DeliveryState.SENT and delivery.attempt == 1:
                self._metrics.send_latency.observe((update.at - delivery.source.written_at) / 1000)
