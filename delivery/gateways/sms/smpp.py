"""SMS by SMPP 3.4: one session that is bound as transceiver, and bound again when it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator

import smpp34

from account_alerts.config.gateways import Smpp
from account_alerts.service.backoff import Backoff
from delivery.gateways import keys
from delivery.gateways.base import Gateway, Message, Outcome, Receipt, Result
from delivery.gateways.outcomes import rejected, retry
from delivery.gateways.sms.nodelay import set_nodelay
from delivery.gateways.sms.phone import international
from delivery.gateways.sms.smpp_encoding import (
    MESSAGE_PAYLOAD,
    Submit,
    parse_receipt,
    split_message,
    validity_period,
)

_log = logging.getLogger(__name__)
_INTERNATIONAL, _ALPHANUMERIC, _UNKNOWN = 1, 5, 0
_E164 = 1
_RECEIPT_AT_THE_END = 1
_FIRST_RETRY, _LONGEST_RETRY = 0.1, 10.0
"""Seconds between attempts to bind; chance keeps senders apart after the SMSC was away."""
_RECEIPT_QUEUE = 100_000

_QUEUE_FULL, _THROTTLED = 0x14, 0x58
_REJECTED = frozenset(
    {0x01, 0x0B, 0x40, 0x43, 0x44, 0x48, 0x50, 0x51, 0x61, 0x62, 0x65, 0xC0, 0xC2, 0xC3, 0xC4}
)
"""Statuses about the number or the message itself, such as ESME_RINVDSTADR; all others may pass."""


class SmppGateway(Gateway):
    """Sends SMS to one SMSC. Timers and enquire_link are kept by the library."""

    def __init__(self, config: Smpp) -> None:
        """Prepare; `open` binds."""
        self._config = config
        self._session: smpp34.Smsc | None = None
        self._binding: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._receipts: asyncio.Queue[Receipt] = asyncio.Queue(_RECEIPT_QUEUE)
        self._window = asyncio.Semaphore(config.window)

    async def open(self) -> None:
        """Bind, and keep bound from now on; returns when it was tried once."""
        self._binding = asyncio.create_task(self._keep_bound())
        await self._tried.wait()

    async def send(self, message: Message) -> Outcome:
        """Send one SMS, in as many parts as it needs; its reference is the last part's."""
        number = international(message.address)
        if number is None:
            return rejected("no phone number")
        whole = self._config.long_texts == "message_payload"
        parts = split_message(
            message.text, keys.token(message.key, 48), keys.number(message.key), whole=whole
        )
        if len(parts) > 255:
            return rejected("the text is too long")
        outcome = rejected("no text")
        for part in parts:
            async with self._window:
                outcome = await self._submit(number, part)
            if outcome.result is not Result.SENT:
                return outcome
        return outcome

    async def receipts(self) -> AsyncIterator[Receipt]:
        """Yield receipts of the last parts; the SMSC's own ids name them."""
        while True:
            yield await self._receipts.get()

    async def close(self) -> None:
        """Unbind."""
        if self._binding is not None:
            self._binding.cancel()
            await asyncio.gather(self._binding, return_exceptions=True)

    async def _submit(self, number: str, part: Submit) -> Outcome:
        session, config = self._session, self._config
        if session is None:
            return retry("not bound", down=True)
        tlvs = []
        if part.payload:
            tlvs.append(smpp34.Tlv(MESSAGE_PAYLOAD, part.body))
        if config.idempotency_tag is not None:
            tlvs.append(smpp34.Tlv(config.idempotency_tag, part.key))
        source, ton = _source(config.sender)
        try:
            async with asyncio.timeout(config.timeout / 1000):
                answer = await session.submit_sm(
                    number,
                    b"" if part.payload else part.body,
                    source_addr=source,
                    source_addr_ton=ton,
                    source_addr_npi=_E164 if ton == _INTERNATIONAL else _UNKNOWN,
                    dest_addr_ton=_INTERNATIONAL,
                    dest_addr_npi=_E164,
                    esm_class=part.esm_class,
                    data_coding=part.coding,
                    registered_delivery=_RECEIPT_AT_THE_END if part.last else 0,
                    validity_period=validity_period(config.validity),
                    tlvs=tlvs,
                )
        except TimeoutError:
            return retry("no answer", down=True)
        except smpp34.SmppError:
            return retry("the session ended", down=True)
        if answer.is_success:
            return Outcome(Result.SENT, reference=answer.message_id)
        return _answer(answer.command_status, config.throttled_wait / 1000)

    async def _keep_bound(self) -> None:
        config, backoff = self._config, Backoff(_FIRST_RETRY, _LONGEST_RETRY)
        while True:
            client = smpp34.Client(
                config.host,
                config.port,
                config.system_id,
                "" if config.password is None else config.password.get_secret_value(),
                bind_type="TRX",
                system_type=config.system_type,
                tls=config.tls,
                window_size=config.window,
                connect_timeout_ms=config.timeout,
            )
            try:
                session = await client.connect()
                set_nodelay(config.port)
                self._session = session
                backoff.reset()
                self._tried.set()
                await self._read(session)
                _log.warning("the SMSC ended the session")
            except smpp34.SmppError as error:
                _log.warning("no session with the SMSC: %s", error)
            finally:
                self._session = None
                self._tried.set()
                await asyncio.shield(_stop(client))
            await asyncio.sleep(backoff.next())

    async def _read(self, session: smpp34.Smsc) -> None:
        """Take receipts until the session ends."""
        while isinstance(event := await session.next(), smpp34.DeliverSmEvent):
            tlvs = {tlv.tag: tlv.value for tlv in event.tlvs}
            found = parse_receipt(event.esm_class, event.short_message, tlvs)
            if found is not None:
                await self._receipts.put(found)


def _answer(status: int, throttled_wait: float) -> Outcome:
    reason = f"SMPP 0x{status:08x}"
    if status in _REJECTED:
        return rejected(reason)
    return retry(reason, after=throttled_wait if status in (_THROTTLED, _QUEUE_FULL) else None)


def _source(sender: str) -> tuple[str, int]:
    digits = sender.removeprefix("+")
    if not digits.isdigit():
        return sender, _ALPHANUMERIC
    return digits, _INTERNATIONAL if len(digits) > 6 else _UNKNOWN


async def _stop(client: smpp34.Client) -> None:
    try:
        await client.stop()
    except smpp34.SmppError:
        return  # It was never bound.
