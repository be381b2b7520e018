"""Claims what has become due in the ledger: deferred alerts, retries, digests, and probes of gateways."""

import asyncio
from collections.abc import Sequence

from account_alerts.records.codec import Codec
from account_alerts.service.rate_limit import TokenBucket
from delivery.alert import Delivery, SourceRecord
from delivery.ledger.port import DueAlert
from delivery.worker.capacity import Capacity
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.ports import Dispatch, Ports

_POLL_SECONDS = 0.25
_BATCH = 250
_DIGEST_BATCH = 20


class Scheduler:
    """Polls the ledger; what this process has claimed is dispatched."""

    def __init__(
        self,
        channel: str,
        topic: str,
        lease: int,
        ports: Ports,
        capacity: Capacity,
        rate: TokenBucket,
        breakers: CircuitBreakers,
        dispatch: Dispatch,
    ) -> None:
        """Claim nothing yet.

        Args:
            channel: Whose alerts.
            topic: Where the channel's alerts come from.
            lease: Milliseconds for which a claimed alert is this process's own.
            ports: The outside.
            capacity: The places for alerts in flight.
            rate: How many messages a second may be sent.
            breakers: Which gateways are down.
            dispatch: Decides on a message.
        """
        self._channel, self._topic, self._lease, self._ports = channel, topic, lease, ports
        self._capacity, self._rate = capacity, rate
        self._breakers, self._dispatch = breakers, dispatch
        self._stopping = False

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True

    async def run(self) -> None:
        """Poll until `stop`; again at once while anything is due."""
        while not self._stopping:
            if not await self.poll():
                await asyncio.sleep(_POLL_SECONDS)

    async def poll(self) -> int:
        """Probe gateways that are down, and claim what is due; returns how many messages."""
        found = 0
        for route in self._breakers.due_probes():
            found += await self._probe(route)
        down = self._breakers.open_routes()
        if self._channel in down:
            return found  # All of the channel is down: its rows need not be looked at.
        places = await self._capacity.wait_for_due(_BATCH)
        if permits := self._rate.try_take(places):
            lease_ends = self._lease_ends()
            alerts = await self._ports.ledger.claim_due(permits, without=down)
            self._rate.give_back(permits - len(alerts))
            found += self._dispatch_all([[each] for each in self._deliveries(alerts, lease_ends)])
        if permits := self._rate.try_take(min(places, _DIGEST_BATCH)):
            lease_ends = self._lease_ends()
            alerts = await self._ports.ledger.claim_due_digests(permits, without=down)
            digests = group_digests(self._deliveries(alerts, lease_ends))
            self._rate.give_back(permits - len(digests))
            found += self._dispatch_all(digests)
        return found

    async def _probe(self, route: str) -> int:
        """Send one message to a route, although it is down."""
        lease_ends = self._lease_ends()
        if alerts := await self._ports.ledger.claim_due(1, only=[route]):
            return self._dispatch_all([self._deliveries(alerts, lease_ends)], probe=True)
        alerts = await self._ports.ledger.claim_due_digests(1, only=[route])
        return self._dispatch_all(group_digests(self._deliveries(alerts, lease_ends)), probe=True)

    def _lease_ends(self) -> float:
        """Return when the lease of a claim made now ends, in monotonic seconds."""
        return self._ports.clock.monotonic() + self._lease / 1000

    def _deliveries(self, alerts: Sequence[DueAlert], lease_ends: float) -> list[Delivery]:
        return [to_delivery(alert, self._topic, self._ports.decoder, lease_ends) for alert in alerts]

    def _dispatch_all(self, groups: Sequence[Sequence[Delivery]], *, probe: bool = False) -> int:
        self._capacity.occupy_due(sum(len(group) for group in groups))
        for group in groups:
            self._dispatch(group, probe)
        return len(groups)


def group_digests(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """Return deliveries by the digest they belong to: of one claim, one customer and one address."""
    groups: dict[tuple[str, str, str | None], list[Delivery]] = {}
    for delivery in deliveries:
        key = (delivery.alert["customer_id"], delivery.alert["address"], delivery.digest_id)
        groups.setdefault(key, []).append(delivery)
    return list(groups.values())


def to_delivery(due: DueAlert, topic: str, decoder: Codec, lease_ends: float) -> Delivery:
    """Return the delivery of an alert that was claimed again; its record came from a topic."""
    alert = decoder.decode("OutboundAlert", due.record)
    key = alert["customer_id"].encode()
    return Delivery(
        alert=alert,
        source=SourceRecord(topic, due.partition, due.offset, due.written_at, key, due.record),
        route=due.route,
        attempt=due.attempt,
        lease_ends=lease_ends,
        recipient=due.recipient,
        deferred_for=due.deferred_for,
        digest_id=due.digest_id,
        last_retry=due.last_retry,
    )
