"""Takes new alerts from Kafka: decodes them, and claims them in the ledger.

Records are committed on Kafka as soon as the ledger has them: what happens after that is the ledger's to
remember.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from account_alerts.records.codec import Record
from account_alerts.service.rate_limit import TokenBucket
from delivery.alert import DeadLetter, Delivery, InvalidAlertError, SourceRecord, parse_alert, route
from delivery.ledger.port import RejectedByLedgerError
from delivery.metrics import SenderMetrics
from delivery.worker.capacity import Capacity
from delivery.worker.ports import Dispatch, Ports

_log = logging.getLogger(__name__)
_BATCH = 500
_DECODE_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Decoded:
    """Records of one batch: the alerts by their ids, and what is none."""

    alerts: Mapping[str, Delivery]
    dead_letters: Sequence[DeadLetter]


class Intake:
    """Receives and claims; what this process has claimed is dispatched."""

    def __init__(
        self,
        channel: str,
        lease: int,
        ports: Ports,
        capacity: Capacity,
        rate: TokenBucket,
        dispatch: Dispatch,
        metrics: SenderMetrics,
    ) -> None:
        """Receive nothing yet; `lease`: milliseconds for which a claimed alert is this process's own."""
        self._channel, self._lease, self._ports = channel, lease, ports
        self._capacity, self._rate, self._dispatch, self._metrics = capacity, rate, dispatch, metrics
        self._stopping = False

    def stop(self) -> None:
        """Take no further batch."""
        self._stopping = True

    async def run(self) -> None:
        """Receive until `stop`."""
        while not self._stopping:
            await self.receive()

    async def receive(self) -> None:
        """Receive one batch: wait for records, places and the rate, claim, dispatch, commit."""
        available = await self._ports.alerts.wait()
        if self._stopping:
            return
        places = await self._capacity.take_new(min(available, _BATCH))
        permits = await self._rate.take(places)
        self._capacity.release_unused(places - permits)
        sources = self._ports.alerts.take(permits)
        self._metrics.received.inc(len(sources))
        decoded = await self._decode(sources)
        writing = asyncio.create_task(self._give_up(decoded.dead_letters))
        claimed = await self._claim(list(decoded.alerts.values()))
        for delivery in claimed:
            self._dispatch([delivery], False)
        unused = permits - len(claimed)
        self._metrics.duplicates.inc(unused - len(decoded.dead_letters))
        self._capacity.release_unused(unused)
        self._rate.give_back(unused)
        await writing
        self._ports.alerts.commit(sources)

    async def _decode(self, sources: Sequence[SourceRecord]) -> Decoded:
        alerts: dict[str, Delivery] = {}
        dead_letters: list[DeadLetter] = []
        lease_ends = self._ports.clock.monotonic() + self._lease / 1000
        for source in sources:
            try:
                alert = await self._parse(source)
            except InvalidAlertError as error:
                dead_letters.append(DeadLetter(source, str(error)))
            else:
                delivery = Delivery(alert, source, route(alert), attempt=1, lease_ends=lease_ends)
                alerts.setdefault(delivery.alert_id, delivery)
        return Decoded(alerts, dead_letters)

    async def _parse(self, source: SourceRecord) -> Record:
        while True:
            try:
                return parse_alert(source, self._channel, self._ports.decoder)
            except InvalidAlertError:
                raise
            except Exception as error:  # The registry is away; the record may be a good one.
                _log.warning("an alert cannot be decoded yet: %s", type(error).__name__)
                await asyncio.sleep(_DECODE_RETRY_SECONDS)

    async def _claim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Return those that are new, and this process's own now."""
        if not deliveries:
            return []
        try:
            recipients = await self._ports.ledger.claim(deliveries)
        except RejectedByLedgerError as error:
            # One of them cannot be held by the ledger: find it, and let the others go on.
            if len(deliveries) == 1:
                await self._give_up([DeadLetter(deliveries[0].source, str(error))])
                return []
            half = len(deliveries) // 2
            return await self._claim(deliveries[:half]) + await self._claim(deliveries[half:])
        return [
            replace(delivery, recipient=recipients[delivery.alert_id])
            for delivery in deliveries
            if delivery.alert_id in recipients
        ]

    async def _give_up(self, dead_letters: Sequence[DeadLetter]) -> None:
        await self._ports.dead_letters.write(dead_letters)
        self._metrics.dead_letters.inc(len(dead_letters))
