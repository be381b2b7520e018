"""The opt-outs as a sender of SMS runs them: receives, answers, checks, and tells the bank's database."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from account_alerts.config import Config
from delivery.gateways.sms.gateway import SmsGateway
from delivery.ledger.session import Session
from delivery.opt_out.bank import BankRecorder, record_in
from delivery.opt_out.check import BatchedCheck
from delivery.opt_out.metrics import OptOutMetrics
from delivery.opt_out.port import OptOutStore
from delivery.opt_out.receiver import CommandReceiver
from delivery.opt_out.replies import ReplySender
from delivery.opt_out.store import PostgresOptOuts

_log = logging.getLogger(__name__)
_PRUNE_SECONDS = 600.0
_REPORT_SECONDS = 5.0


class OptOuts:
    """All that a sender of SMS does about STOP; as `OptOutCheck` it is asked before each SMS."""

    def __init__(self, config: Config, gateway: SmsGateway, registry: CollectorRegistry) -> None:
        """Become the handler of what customers send; the gateway must not be open yet.

        Raises:
            ConfigError: There is no section `senders`, `senders.sms` or `delivery`.
        """
        senders = config.require("senders")
        sms = senders.sms
        assert sms is not None  # Its gateway is there.
        self._metrics = metrics = OptOutMetrics(registry)
        self._retention = senders.retention
        self._store = PostgresOptOuts(config.require("delivery"), senders.lease)
        self._check = BatchedCheck(self._store)
        self._replies = ReplySender(self._store, gateway, sms.name, senders.send_timeout / 1000, metrics)
        self._bank: Session | None = None
        self._recorder: BankRecorder | None = None
        if config.bank is None:
            _log.warning("no section bank: opt-outs are kept in the ledger only")
        else:
            self._bank = Session(config.bank, "sender-sms opt-outs")
            self._recorder = BankRecorder(self._store, record_in(self._bank))
        gateway.handler = CommandReceiver(self._store, sms.reply_language, metrics).receive

    async def is_stopped(self, address: str) -> bool:
        """Tell whether the number in an address has opted out."""
        return await self._check.is_stopped(address)

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the sending, by name; each is without end."""
        loops = {
            "opt-outs": self._check.run(),
            "replies": self._replies.run(),
            "prune opt-outs": _prune(self._store, self._retention),
        }
        if self._recorder is None:
            return loops
        report = _report(self._store, self._metrics)
        return loops | {"bank": self._recorder.run(), "report opt-outs": report}

    async def close(self) -> None:
        """Close the connections."""
        await self._store.close()
        if self._bank is not None:
            await self._bank.close()


async def _report(store: OptOutStore, metrics: OptOutMetrics) -> None:
    while True:
        metrics.unrecorded.set(await store.oldest_unrecorded())
        await asyncio.sleep(_REPORT_SECONDS)


async def _prune(store: OptOutStore, retention: int) -> None:
    while True:
        await store.prune(retention)
        await asyncio.sleep(_PRUNE_SECONDS)
