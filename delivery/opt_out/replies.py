"""Sends the answers to STOP, START and HELP; no opt-out holds them back."""

import asyncio
import logging

from delivery.gateways.base import Gateway, Message, Outcome, Result
from delivery.gateways.outcomes import retry
from delivery.opt_out.keywords import reply
from delivery.opt_out.metrics import OptOutMetrics
from delivery.opt_out.port import OptOutStore, Reply

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_BATCH = 20
_RETRY_MS = 5_000
_LATEST_SECONDS = 300.0
"""A confirmation counts within five minutes (47 CFR 64.1200(a)(12)); later it would be one SMS too many."""


class ReplySender:
    """Claims answers in the ledger; any sender of SMS may send them."""

    def __init__(
        self, store: OptOutStore, gateway: Gateway, name: str, timeout: float, metrics: OptOutMetrics
    ) -> None:
        """Send nothing yet.

        Args:
            store: Has the answers.
            gateway: Sends them.
            name: The bank's, as the answers say it.
            timeout: Seconds for the gateway.
            metrics: Count what is done.
        """
        self._store, self._gateway, self._name = store, gateway, name
        self._timeout, self._metrics = timeout, metrics

    async def run(self) -> None:
        """Send answers as they come, without end."""
        while True:
            if not await self.send_due():
                await asyncio.sleep(_POLL_SECONDS)

    async def send_due(self) -> int:
        """Send the answers that are due; returns how many there were."""
        replies = await self._store.claim_replies(_BATCH)
        await asyncio.gather(*map(self._send, replies))
        return len(replies)

    async def _send(self, answer: Reply) -> None:
        if answer.age > _LATEST_SECONDS:
            _log.warning("the answer to a %s could not be sent within five minutes", answer.keyword)
            outcome = Outcome(Result.REJECTED, reason="not sent within five minutes")
        else:
            outcome = await self._hand_over(answer)
        if outcome.result is Result.RETRY:
            wait = max(_RETRY_MS, int((outcome.retry_after or 0) * 1000))
            await self._store.finish_reply(answer.reply_id, again=wait, reason=outcome.reason)
            return
        sent = outcome.result is Result.SENT
        await self._store.finish_reply(answer.reply_id, sent=sent, reason=outcome.reason)
        self._metrics.count_reply(sent=sent)

    async def _hand_over(self, answer: Reply) -> Outcome:
        message = Message(
            key=f"sms-reply-{answer.reply_id}-{answer.created_at:%Y%m%d%H%M%S}",
            customer_id="",
            address=f"+{answer.number}",
            language=answer.language,
            title="",
            text=reply(answer.keyword, answer.language, self._name),
        )
        try:
            async with asyncio.timeout(self._timeout):
                return await self._gateway.send(message)
        except TimeoutError:
            return retry("no answer in time")
        except Exception as error:  # A gateway promises not to raise; an answer must not end the sender.
            _log.exception("the gateway raised")
            return retry(f"the gateway raised {type(error).__name__}")
