"""Claims the notices of a channel and sends them, beside the alerts; no quiet hours hold them back."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import psycopg
from prometheus_client import CollectorRegistry

from account_alerts.config import Config
from account_alerts.model.alerts import Channel
from account_alerts.model.errors import ConfigError
from account_alerts.service import metrics
from delivery.gateways.base import Gateway, Message, Outcome, Result
from delivery.gateways.outcomes import retry
from delivery.ledger.session import Session
from delivery.notices.store import Notice, NoticeStore, PostgresNotices

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_PAUSE_SECONDS = 10.0
"""After the bank's database has refused."""
_PRUNE_SECONDS = 600.0
_BATCH = 20
_RETRY_MS = 3_000


class NoticeSender:
    """Sends the notices of a store by a gateway; any sender of the channel may."""

    def __init__(
        self,
        store: NoticeStore,
        gateway: Gateway,
        channel: Channel,
        timeout: float,
        registry: CollectorRegistry,
    ) -> None:
        """Send nothing yet; `timeout`: seconds for the gateway."""
        self._store, self._gateway, self._timeout = store, gateway, timeout
        counted = metrics.SENDER_NOTICES.create(registry)
        self._sent, self._failed = (counted.labels(channel, outcome) for outcome in ("sent", "failed"))

    async def run(self) -> None:
        """Send notices as they come, without end; where the bank's database refuses, alerts go on."""
        while True:
            try:
                pause = 0.0 if await self.send_due() else _POLL_SECONDS
            except psycopg.Error as error:
                _log.error("notices are not sent: the bank's database: %s", type(error).__name__)
                pause = _PAUSE_SECONDS
            await asyncio.sleep(pause)

    async def prune(self) -> None:
        """Delete old notices now and then, without end."""
        while True:
            try:
                await self._store.prune()
            except psycopg.Error as error:
                _log.error("notices are not deleted: the bank's database: %s", type(error).__name__)
            await asyncio.sleep(_PRUNE_SECONDS)

    async def send_due(self) -> int:
        """Send the notices that are due; returns how many there were."""
        notices = await self._store.claim(_BATCH)
        await asyncio.gather(*map(self._send, notices))
        return len(notices)

    async def _send(self, notice: Notice) -> None:
        if notice.is_expired:
            outcome = Outcome(Result.REJECTED, reason="not sent in time")
        elif notice.is_stopped:
            outcome = Outcome(Result.REJECTED, reason="the number has opted out")
        else:
            outcome = await self._hand_over(notice)
        if outcome.result is Result.RETRY:
            wait = max(_RETRY_MS * notice.attempts, int((outcome.retry_after or 0) * 1000))
            await self._store.try_again(notice.notice_id, wait, outcome.reason)
            return
        sent = outcome.result is Result.SENT
        await self._store.finish(notice.notice_id, sent=sent, reason=outcome.reason)
        (self._sent if sent else self._failed).inc()

    async def _hand_over(self, notice: Notice) -> Outcome:
        message = Message(
            key=f"notice-{notice.notice_id}-{notice.created_at:%Y%m%d%H%M%S}",
            customer_id=notice.customer_id,
            address=notice.address,
            language=notice.language,
            title=notice.title,
            text=notice.body,
            data={"notice": notice.kind},
        )
        try:
            async with asyncio.timeout(self._timeout):
                return await self._gateway.send(message)
        except TimeoutError:
            return retry("no answer in time")
        except Exception as error:  # A gateway promises not to raise; a notice must not end the sender.
            _log.exception("the gateway raised")
            return retry(f"the gateway raised {type(error).__name__}")


class Notices:
    """All that a sender does about notices."""

    def __init__(
        self, config: Config, channel: Channel, gateway: Gateway, registry: CollectorRegistry
    ) -> None:
        """Connect with the first question.

        Raises:
            ConfigError: There is no section `bank`, where the notices are.
        """
        if config.bank is None:
            raise ConfigError(f"{config.path}: has no section 'bank', where notices are")
        senders = config.require("senders")
        self._session = Session(config.bank, f"sender-{channel.lower()} notices")
        store = PostgresNotices(self._session, channel, senders.lease)
        self._sender = NoticeSender(store, gateway, channel, senders.send_timeout / 1000, registry)

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the sending, by name; each is without end."""
        return {"notices": self._sender.run(), "prune notices": self._sender.prune()}

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()
