"""SMS by SMPP 3.4: one session that is bound as transceiver, and bound again when it ends."""

import asyncio
import logging
from collections.abc import AsyncIterator

import smpp34

from account_alerts.config.gateways import Smpp
from account_alerts.service.backoff import Backoff
from delivery.gateways import keys
from delivery.gateways.base import WITHDRAWN, Message, Outcome, Receipt, Result
from delivery.gateways.outcomes import outcome, retry, unsendable
from delivery.gateways.sms import smpp_answers
from delivery.gateways.sms.gateway import SmsGateway
from delivery.gateways.sms.phone import international
from delivery.gateways.sms.smpp_encoding import (
    MESSAGE_PAYLOAD,
    MESSAGE_TYPE,
    Submit,
    incoming_sms,
    parse_receipt,
    split_message,
    submitted_id,
    validity_period,
)
from delivery.gateways.sms.smpp_pdu import OK, TEMPORARY_ERROR, Delivered
from delivery.gateways.sms.smpp_session import SessionError, SmppSession
from delivery.gateways.tls import tls_context

_log = logging.getLogger(__name__)
_INTERNATIONAL, _ALPHANUMERIC, _UNKNOWN = 1, 5, 0
_E164 = 1
_RECEIPT_AT_THE_END = 1
_FIRST_RETRY, _LONGEST_RETRY = 0.1, 10.0
"""Seconds between attempts to bind; chance keeps senders apart after the SMSC was away."""
_RECEIPT_QUEUE = 100_000


class SmppGateway(SmsGateway):
    """Sends SMS to one SMSC, and takes receipts and customers' SMS from it."""

    def __init__(self, config: Smpp) -> None:
        """Prepare; `open` binds."""
        self._config = config
        self._session: SmppSession | None = None
        self._binding: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._receipts: asyncio.Queue[Receipt] = asyncio.Queue(_RECEIPT_QUEUE)
        self._recording: set[asyncio.Future[None]] = set()
        self._window = asyncio.Semaphore(config.window)

    async def open(self) -> None:
        """Bind, and keep bound from now on; returns when it was tried once."""
        self._binding = asyncio.create_task(self._keep_bound())
        await self._tried.wait()

    async def send(self, message: Message) -> Outcome:
        """Send one SMS, in as many parts as it needs; its reference is the last part's."""
        number = international(message.address)
        if number is None:
            return unsendable("no phone number")
        whole = self._config.long_texts == "message_payload"
        parts = split_message(
            message.text, keys.token(message.key, 48), keys.number(message.key), whole=whole
        )
        if len(parts) > 255:
            return unsendable("the text is too long")
        answer = unsendable("no text")
        for part in parts:
            async with self._window:
                if part is parts[0] and message.is_wanted is not None and not await message.is_wanted():
                    return WITHDRAWN
                answer = await self._submit(number, part)
            if answer.result is not Result.SENT:
                return answer
        return answer

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
        if session is None or not session.is_open:
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
        except (smpp34.SmppError, SessionError):
            return retry("the session ended", down=True)
        if answer.is_success:
            return Outcome(Result.SENT, reference=submitted_id(answer.message_id, config.receipt_ids))
        return _answer(answer.command_status, config.throttled_wait / 1000)

    async def _keep_bound(self) -> None:
        config, backoff = self._config, Backoff(_FIRST_RETRY, _LONGEST_RETRY)
        password = "" if config.password is None else config.password.get_secret_value()
        tls = tls_context(None) if config.tls else None
        while True:
            session = None
            try:
                session = await SmppSession.bind(
                    config.host,
                    config.port,
                    tls,
                    (config.system_id, password, config.system_type),
                    self._deliver,
                    config.timeout / 1000,
                )
                self._session = session
                backoff.reset()
                self._tried.set()
                await session.ended()
                _log.warning("the SMSC ended the session")
            except SessionError as error:
                _log.warning("no session with the SMSC: %s", error)
            finally:
                self._session = None
                self._tried.set()
                if session is not None:
                    await asyncio.shield(session.close())
            await asyncio.sleep(backoff.next())

    async def _deliver(self, delivered: Delivered) -> int:
        """Take a receipt, or an SMS from a customer; returns the status of its response."""
        if delivered.esm_class & MESSAGE_TYPE:
            found = parse_receipt(
                delivered.esm_class,
                delivered.short_message,
                delivered.tlvs,
                receipt_ids=self._config.receipt_ids,
            )
            if found is not None:
                await self._receipts.put(found)
            return OK
        if self.handler is None:
            return OK
        if (sms := incoming_sms(delivered)) is None:
            _log.warning("an SMS from what is no international number is dropped")
            return OK
        recording = asyncio.ensure_future(self.handler(sms))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)
        try:
            # It goes on behind an SMSC that will not wait; delivered again, it changes nothing.
            await asyncio.wait_for(asyncio.shield(recording), self._config.timeout / 1000)
        except TimeoutError:
            return TEMPORARY_ERROR
        except Exception:
            _log.exception("an SMS from a customer was not recorded: the SMSC is asked for it again")
            return TEMPORARY_ERROR
        return OK


def _answer(status: int, throttled_wait: float) -> Outcome:
    too_much = status in (smpp_answers.THROTTLED, smpp_answers.QUEUE_FULL)
    about = smpp_answers.meaning(status).about
    return outcome(about, f"SMPP 0x{status:08x}", after=throttled_wait if too_much else None)


def _source(sender: str) -> tuple[str, int]:
    digits = sender.removeprefix("+")
    if not digits.isdigit():
        return sender, _ALPHANUMERIC
    return digits, _INTERNATIONAL if len(digits) > 6 else _UNKNOWN
