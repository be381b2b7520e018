"""Writes the gateway's receipts into the ledger."""

import asyncio
import logging
from dataclasses import dataclass

from account_alerts.service.clock import Clock
from delivery.alert import clean_reference
from delivery.gateways.base import Gateway, Receipt
from delivery.ledger.port import Ledger
from delivery.metrics import SenderMetrics

_log = logging.getLogger(__name__)
_MATCH_SECONDS = 60.0
"""How long a receipt waits for the update of the alert that it belongs to."""
_APPLY_SECONDS = 0.1
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class _Waiting:
    receipt: Receipt
    until: float


class ReceiptWriter:
    """Takes receipts from the gateway, and matches them with the alerts that were sent."""

    def __init__(self, ledger: Ledger, gateway: Gateway, metrics: SenderMetrics, clock: Clock) -> None:
        """Take nothing yet."""
        self._ledger, self._gateway, self._metrics, self._clock = ledger, gateway, metrics, clock
        self._waiting: list[_Waiting] = []

    async def read(self) -> None:
        """Take receipts as they come, without end."""
        while True:
            try:
                async for receipt in self._gateway.receipts():
                    self.add(receipt)
            except Exception:
                _log.exception("receipts cannot be read")
            await asyncio.sleep(_RETRY_SECONDS)

    async def run(self) -> None:
        """Write receipts ten times a second, without end."""
        while True:
            await asyncio.sleep(_APPLY_SECONDS)
            await self.apply()

    def add(self, receipt: Receipt) -> None:
        """Have a receipt written soon."""
        self._waiting.append(_Waiting(receipt, self._clock.monotonic() + _MATCH_SECONDS))

    async def apply(self) -> None:
        """Write the receipts there are; those whose alert is not known as sent yet wait on."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        found = await self._ledger.apply_receipts([each.receipt for each in waiting])
        for state in found.values():
            self._metrics.count_state(state)
        now = self._clock.monotonic()
        self._waiting += [
            each
            for each in waiting
            if clean_reference(each.receipt.reference) not in found and each.until > now
        ]
