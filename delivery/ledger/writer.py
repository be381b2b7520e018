"""What became of alerts, written into the ledger many at a time, behind the hand-overs."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from delivery.alert import Delivery, Mark
from delivery.gateways.base import Gateway, Receipt
from delivery.ledger.ledger import Ledger
from delivery.metrics import Metrics

_log = logging.getLogger(__name__)
_RECEIPT_WAIT = 60.0
"""Seconds for which a receipt waits for the mark that it belongs to."""


class Marks:
    """What is to be written about alerts, and the gateway's receipts, which come later."""

    def __init__(
        self,
        ledger: Ledger,
        gateway: Gateway,
        metrics: Metrics,
        *,
        written: Callable[[Sequence[Delivery]], None],
    ) -> None:
        """Nothing yet; `written` is told of deliveries when the ledger has their marks."""
        self._ledger, self._gateway, self._metrics, self._written = ledger, gateway, metrics, written
        self._marks: list[tuple[Mark, Delivery]] = []
        self._marked = asyncio.Event()
        self._receipts: list[tuple[Receipt, float]] = []

    def add(self, mark: Mark, delivery: Delivery) -> None:
        """Have it written soon."""
        self._marks.append((mark, delivery))
        self._marked.set()

    async def write(self) -> None:
        """Write what there is, all of it in one statement, for ever."""
        while True:
            await self._marked.wait()
            self._marked.clear()
            marks, self._marks = self._marks, []
            await self._ledger.mark(mark for mark, _ in marks)
            self._written([delivery for _, delivery in marks])
            for mark, delivery in marks:
                self._metrics.became(mark.state)
                if mark.state == "handed over" and delivery.attempt == 1:
                    self._metrics.waited.observe((mark.at - delivery.source.written_at) / 1000)

    async def read_receipts(self) -> None:
        """Take the gateway's receipts as they come, for ever."""
        while True:
            try:
                async for receipt in self._gateway.receipts():
                    self._receipts.append((receipt, time.monotonic() + _RECEIPT_WAIT))
            except Exception:
                _log.exception("receipts cannot be read")
            await asyncio.sleep(1)

    async def confirm(self) -> None:
        """Write down what the receipts say, for ever."""
        while True:
            await asyncio.sleep(0.1)
            if not self._receipts:
                continue
            receipts, self._receipts = self._receipts, []
            found = await self._ledger.confirm(receipt for receipt, _ in receipts)
            for state in found.values():
                self._metrics.became(state)
            # The mark of a hand-over may be later than the receipt for it.
            now = time.monotonic()
            self._receipts += [
                (receipt, end)
                for receipt, end in receipts
                if receipt.reference[:200] not in found and end > now
            ]
