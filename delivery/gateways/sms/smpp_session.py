"""A session with an SMSC, bound as transceiver.

smpp34 encodes the PDUs and decodes them. Its own client acknowledges a deliver_sm before the program has seen
it: a process that dies then has lost a customer's STOP. This session acknowledges what its handler has done.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import smpp34

from account_alerts.model.errors import UnreachableError
from delivery.gateways.sms import smpp_pdu
from delivery.gateways.sms.smpp_pdu import Delivered

_log = logging.getLogger(__name__)
_ENQUIRE_SECONDS = 30.0
"""Between enquire_links."""
_UNBIND_SECONDS = 2.0

DeliverHandler = Callable[[Delivered], Awaitable[int]]
"""Takes a receipt or an SMS, and returns the status of the response."""


class SessionError(UnreachableError):
    """There is no session (any more)."""


@dataclass(frozen=True)
class Answer:
    """The response to a request."""

    command_status: int
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        """Whether the request was accepted."""
        return self.command_status == smpp_pdu.OK

    @property
    def message_id(self) -> str:
        """The SMSC's id of a submitted message."""
        return self.body.partition(b"\0")[0].decode("latin-1")


class SmppSession(asyncio.Protocol):
    """One session, from its bind to its end; `bind` makes it."""

    def __init__(self, handler: DeliverHandler, timeout: float) -> None:
        """Wait for the connection; `timeout`: seconds for an answer of the SMSC."""
        self._handler, self._timeout = handler, timeout
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._lost = asyncio.Event()
        self.is_open = False
        """Whether messages may be submitted."""

    @classmethod
    async def bind(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        credentials: tuple[str, str, str],
        handler: DeliverHandler,
        timeout: float,
    ) -> "SmppSession":
        """Connect and bind.

        Args:
            host: The SMSC's.
            port: The SMSC's.
            tls: Verifies the SMSC; None: without TLS.
            credentials: system_id, password and system_type.
            handler: Takes what the SMSC delivers.
            timeout: Seconds for an answer of the SMSC.

        Raises:
            SessionError: The SMSC does not answer, or refuses.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, session = await loop.create_connection(lambda: cls(handler, timeout), host, port, ssl=tls)
        except (OSError, TimeoutError) as error:
            raise SessionError(f"no connection: {type(error).__name__}: {error}") from error
        try:
            answer = await session._request(smpp_pdu.BIND_TRANSCEIVER, smpp_pdu.bind_body(*credentials))
            if not answer.is_success:
                raise SessionError(f"the bind was refused: SMPP 0x{answer.command_status:08x}")
        except BaseException:
            session._abort()
            raise
        session.is_open = True
        session._spawn(session._keep_alive())
        return session

    async def submit_sm(self, destination_addr: str, short_message: bytes, **fields: Any) -> Answer:
        """Submit a message; `fields` are those of `smpp34.SubmitSm`.

        Raises:
            SessionError: The session ended before the answer came.
            smpp34.SmppError: It cannot be encoded.
        """
        if not self.is_open:
            raise SessionError("the session ended")
        sequence = self._next_sequence()
        message = smpp34.SubmitSm(
            fields.pop("source_addr"), destination_addr, short_message, **fields, sequence_number=sequence
        )
        return await self._exchange(sequence, message.encode())

    async def ended(self) -> None:
        """Wait until the connection is gone."""
        await self._lost.wait()

    async def close(self) -> None:
        """Unbind; what was delivered and is not acknowledged yet is delivered again."""
        self.is_open = False
        if self._transport is None or self._transport.is_closing():
            return
        try:
            async with asyncio.timeout(_UNBIND_SECONDS):
                await self._request(smpp_pdu.UNBIND)
        except (SessionError, TimeoutError):
            _log.info("the SMSC did not answer the unbind")
        self._abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End all that waits."""
        self.is_open = False
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(SessionError("the session ended"))
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Take the PDUs that are whole."""
        self._received += data
        start, size = 0, len(self._received)
        while size - start >= smpp_pdu.HEADER.size:
            length, command, status, sequence = smpp_pdu.HEADER.unpack_from(self._received, start)
            if not smpp_pdu.HEADER.size <= length <= smpp_pdu.LONGEST:
                _log.warning("the SMSC sent what is no PDU: the session ends")
                self._abort()
                return
            if size - start < length:
                break
            whole = bytes(self._received[start : start + length])
            start += length
            self._take(command, status, sequence, whole)
        del self._received[:start]

    def _take(self, command: int, status: int, sequence: int, whole: bytes) -> None:
        if command & smpp_pdu.RESPONSE:
            waiting = self._waiting.pop(sequence, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(Answer(status, whole[smpp_pdu.HEADER.size :]))
        elif command in (smpp_pdu.DELIVER_SM, smpp_pdu.DATA_SM):
            self._spawn(self._deliver(command, sequence, whole))
        elif command == smpp_pdu.ENQUIRE_LINK:
            self._write(smpp_pdu.pdu(command | smpp_pdu.RESPONSE, sequence))
        elif command == smpp_pdu.UNBIND:
            self.is_open = False
            self._spawn(self._unbound(sequence))
        else:
            nack = smpp_pdu.pdu(smpp_pdu.RESPONSE, sequence, status=smpp_pdu.INVALID_COMMAND_ID)
            self._write(nack)

    async def _deliver(self, command: int, sequence: int, whole: bytes) -> None:
        try:
            delivered = smpp_pdu.parse_delivered(whole)
        except ValueError as error:
            _log.warning("the SMSC delivered what cannot be read: %s", error)
            status = smpp_pdu.SYSTEM_ERROR
        else:
            status = await self._handler(delivered)
        # An empty message_id: SMPP 3.4, 4.6.2 and 4.7.2.
        self._write(smpp_pdu.pdu(command | smpp_pdu.RESPONSE, sequence, b"\0", status))

    async def _unbound(self, sequence: int) -> None:
        """Take the answers that are under way, then let the SMSC go."""
        if self._waiting:
            await asyncio.wait(list(self._waiting.values()), timeout=self._timeout)
        self._write(smpp_pdu.pdu(smpp_pdu.UNBIND | smpp_pdu.RESPONSE, sequence))
        if self._transport is not None:
            self._transport.close()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_ENQUIRE_SECONDS)
            try:
                await self._request(smpp_pdu.ENQUIRE_LINK)
            except TimeoutError:
                _log.warning("the SMSC does not answer: the session ends")
                self._abort()
                return

    async def _request(self, command: int, body: bytes = b"") -> Answer:
        sequence = self._next_sequence()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._exchange(sequence, smpp_pdu.pdu(command, sequence, body))
        except TimeoutError:
            if command == smpp_pdu.BIND_TRANSCEIVER:
                raise SessionError("the SMSC does not answer the bind") from None
            raise

    async def _exchange(self, sequence: int, request: bytes) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = answer
        self._write(request)
        try:
            return await answer
        finally:
            self._waiting.pop(sequence, None)

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        return self._sequence

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _abort(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
