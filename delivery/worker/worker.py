"""A sender: claims the alerts of a channel, sends them to its gateway, and records what has become of them.

    intake (Kafka) ──┐
                     ├─> dispatcher ─> gateway ─> ledger writer
    scheduler (due) ─┘

Each alert holds one of `senders.in_flight` places from its claim to its update in the ledger.
"""

import asyncio
from contextlib import suppress

from account_alerts.config.delivery import Senders
from account_alerts.service.rate_limit import TokenBucket
from delivery.ledger.receipts import ReceiptWriter
from delivery.ledger.writer import LedgerWriter
from delivery.metrics import SenderMetrics
from delivery.policy import Policy
from delivery.worker.capacity import Capacity
from delivery.worker.circuit_breaker import CircuitBreakers
from delivery.worker.dispatcher import Dispatcher, SendSettings
from delivery.worker.housekeeping import prune_ledger, report_status
from delivery.worker.intake import Intake
from delivery.worker.ports import Ports
from delivery.worker.scheduler import Scheduler

_GRACE_SECONDS = 2.0


class Worker:
    """One process of one channel."""

    def __init__(
        self, channel: str, topic: str, settings: Senders, ports: Ports, metrics: SenderMetrics
    ) -> None:
        """Do nothing yet; `topic` is where the channel's alerts come from."""
        self._settings, self._ports, self._metrics = settings, ports, metrics
        self._capacity = Capacity(settings.in_flight)
        rate = TokenBucket(settings.rate(channel), clock=ports.clock)
        breakers = CircuitBreakers(settings.max_probe_interval / 1000, ports.clock)
        self._writer = LedgerWriter(ports.ledger, metrics, on_written=self._capacity.release)
        self._receipts = ReceiptWriter(ports.ledger, ports.gateway, metrics, ports.clock)
        self._dispatcher = Dispatcher(
            channel, _send_settings(settings, channel), ports, self._writer, self._capacity, breakers, metrics
        )
        dispatch = self._dispatcher.dispatch
        self._intake = Intake(channel, settings.lease, ports, self._capacity, rate, dispatch, metrics)
        self._scheduler = Scheduler(
            channel, topic, settings.lease, ports, self._capacity, rate, breakers, dispatch
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then let what is in flight arrive.

        Raises:
            Exception: Something that trying again does not mend; the supervisor starts a new process.
        """
        ports = self._ports
        loops = {
            "read": ports.alerts.run(),
            "intake": self._intake.run(),
            "scheduler": self._scheduler.run(),
            "updates": self._writer.run(),
            "gateway receipts": self._receipts.read(),
            "receipts": self._receipts.run(),
            "prune": prune_ledger(ports.ledger, self._settings.retention),
            "report": report_status(ports.ledger, ports.alerts, self._capacity, self._metrics),
            **({} if ports.opt_outs is None else ports.opt_outs.loops()),
            **({} if ports.notices is None else ports.notices.loops()),
        }
        tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
        reading = tasks[0]
        stopping = asyncio.create_task(stop.wait())
        self._metrics.set_ready(True)
        try:
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # A loop ends by its fault only.
            if stopping not in done:
                raise RuntimeError("a loop of the sender has ended")
            await self._drain(reading)
        finally:
            ports.alerts.stop()
            for task in (stopping, *tasks):
                if task is not reading:
                    task.cancel()
            await self._dispatcher.cancel()
            await asyncio.gather(stopping, *tasks, return_exceptions=True)

    async def _drain(self, reading: asyncio.Task[None]) -> None:
        """Take nothing more, and wait for what is in flight."""
        self._metrics.set_ready(False)
        self._intake.stop()
        self._scheduler.stop()
        timeout = self._settings.send_timeout / 1000 + _GRACE_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._capacity.wait_until_idle()
        self._ports.alerts.stop()
        await reading


def _send_settings(settings: Senders, channel: str) -> SendSettings:
    return SendSettings(
        policy=Policy(
            settings.max_deferral,
            settings.recheck_after,
            settings.digest_at,
            frozenset(settings.always_sent),
            frozenset(settings.mandatory),
        ),
        timeout=settings.send_timeout,
        initial_backoff=settings.initial_backoff,
        max_backoff=settings.max_backoff,
        disclosure=settings.disclosure(channel),
    )
