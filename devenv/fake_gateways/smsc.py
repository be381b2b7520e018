"""The local SMSC: takes SMS by SMPP 3.4 and by HTTP, sends receipts, and keeps SMS as JSON lines.

An SMS that comes again, by the idempotency TLV or header, gets the same id and is not kept twice.
"""

import asyncio
import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import smpp34
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from account_alerts.config import Config
from delivery.gateways.sms import gsm
from delivery.gateways.sms.smpp_encoding import (
    MESSAGE_PAYLOAD,
    MESSAGE_STATE,
    RECEIPT,
    RECEIPTED_MESSAGE_ID,
    UDH,
)
from devenv.fake_gateways.files import files
from devenv.fake_gateways.journal import Journal, read
from devenv.fake_gateways.nodelay import set_nodelay
from devenv.fake_gateways.serving import serve_http

_NO_SUCH, _AT_FIRST_THROTTLED, _NOT_DELIVERED = "9990", "9991", "9992"
_INVALID_DESTINATION, _THROTTLED, _SYSTEM_ERROR = 0x0B, 0x58, 0x08
_AGAIN_SECONDS = 0.2
"""Between attempts to deliver a customer's SMS."""
_DELIVERED_STATE, _UNDELIVERABLE_STATE = 2, 5


class Smsc:
    """What SMPP and HTTP have in common: what was taken, and what is answered to whom."""

    def __init__(self, journal: Journal) -> None:
        """Keep SMS in the journal."""
        self.journal = journal
        self._throttled: set[str] = set()
        self.delivering: set[asyncio.Task[None]] = set()
        """What customers send, until it is acknowledged."""

    def throttles(self, number: str, key: str) -> bool:
        """Tell whether this attempt is one too many."""
        if not number.startswith(_AT_FIRST_THROTTLED) or key in self._throttled:
            return False
        self._throttled.add(key)
        return True


def no_such(number: str) -> bool:
    """Tell whether there is no such number."""
    return number.startswith(_NO_SUCH) or not number.isdigit()


@dataclass(frozen=True)
class Incoming:
    """An SMS that a customer sends."""

    number: str
    text: str
    cut: int = 1
    """In how many parts, whatever its length."""
    payload: bool = False
    """Whether it goes in message_payload."""

    def parts(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield esm_class, data_coding and body of each part."""
        coding = gsm.GSM if gsm.is_gsm(self.text) else gsm.UCS2
        reference = zlib.crc32(f"{self.number} {self.text}".encode())
        size = -(-len(self.text) // self.cut)
        for number in range(self.cut):
            text = self.text[number * size : (number + 1) * size]
            [body] = gsm.split(text).bodies
            if coding == gsm.UCS2:
                body = text.encode("utf-16-be")
            head = gsm.header(reference, self.cut, number + 1) if self.cut > 1 else b""
            yield UDH if head else 0, coding, head + body


class SmppSide:
    """The SMPP server."""

    def __init__(self, smsc: Smsc, port: int, tag: int | None, waiting: dict[str, Any]) -> None:
        """`tag` is the idempotency TLV; `waiting` are SMS whose receipts are still to be sent, by id."""
        self._smsc = smsc
        self._port = port
        self._server = smpp34.Server("127.0.0.1", port, system_id="local")
        self._tag = tag
        self._waiting = waiting
        self._sessions: dict[str, smpp34.Esme] = {}
        self._bound = asyncio.Event()

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def run(self) -> None:
        """Answer until cancelled."""
        receipts = asyncio.create_task(self._send_receipts())
        try:
            while True:
                event = await self._server.next()
                if isinstance(event, smpp34.Esme):
                    self._sessions[event.session_id] = event
                    set_nodelay(self._port)
                    self._bound.set()
                elif isinstance(event, smpp34.SubmitSmEvent):
                    self._take(event)
                else:
                    self._sessions.pop(event.session_id, None)
        finally:
            receipts.cancel()
            await self._server.stop()

    async def deliver(self, sms: Incoming) -> None:
        """Deliver a customer's SMS part by part, each again until a session has acknowledged it."""
        for part in sms.parts():
            while not await self._deliver_once(sms, *part):
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _deliver_once(self, sms: Incoming, esm_class: int, coding: int, body: bytes) -> bool:
        tlvs = [smpp34.Tlv(MESSAGE_PAYLOAD, body)] if sms.payload else []
        return await self._deliver_sm(
            "Bank",
            b"" if sms.payload else body,
            source_addr=sms.number,
            source_addr_ton=1,
            source_addr_npi=1,
            esm_class=esm_class,
            data_coding=coding,
            tlvs=tlvs,
        )

    async def _deliver_sm(self, *addressed: Any, **fields: Any) -> bool:
        """Send a deliver_sm to the sessions that receive, until one has acknowledged it."""
        for session in list(self._sessions.values()):
            if not session.can_receive:
                continue
            try:
                answer = await session.deliver_sm(*addressed, **fields)
            except smpp34.SmppError:
                self._sessions.pop(session.session_id, None)
                continue
            if answer.is_success:
                return True
        return False

    def _take(self, event: smpp34.SubmitSmEvent) -> None:
        tlvs = {tlv.tag: tlv.value for tlv in event.tlvs}
        key = tlvs[self._tag].decode("latin-1") if self._tag in tlvs else uuid.uuid4().hex
        number = event.destination_addr
        if no_such(number):
            event.reject(_INVALID_DESTINATION)
            return
        if self._smsc.throttles(number, key):
            event.reject(_THROTTLED)
            return
        body = tlvs.get(MESSAGE_PAYLOAD, event.short_message)
        part = None
        if event.esm_class & UDH and body[:1]:
            length = body[0] + 1
            header, body = body[:length], body[length:]
            part = list(header[-3:])  # Reference, how many, which.
        try:
            text = gsm.decode(event.data_coding, body)
        except ValueError:
            event.reject(_SYSTEM_ERROR)
            return
        record = {
            "via": "smpp",
            "message_key": key.rpartition("-")[0] if part else key,
            "to": number,
            "from": event.source_addr,
            "text": text,
            "coding": event.data_coding,
            "part": part,
            "receipt": event.registered_delivery & 3 == 1,
        }
        fresh = uuid.uuid4().hex[:16]
        kept = self._smsc.journal.add(f"{number} {key}", fresh, record)
        event.accept(kept)
        if kept == fresh and record["receipt"]:
            self._waiting[kept] = record
            self._bound.set()

    async def _send_receipts(self) -> None:
        while True:
            await self._bound.wait()
            self._bound.clear()
            for message_id, record in list(self._waiting.items()):
                if await self._send_receipt(message_id, record):
                    del self._waiting[message_id]
                    self._smsc.journal.note({"receipt": message_id})

    async def _send_receipt(self, message_id: str, record: dict[str, Any]) -> bool:
        failed = record["to"].startswith(_NOT_DELIVERED)
        at = f"{datetime.now(UTC):%y%m%d%H%M}"
        text = (
            f"id:{message_id} sub:001 dlvrd:{0 if failed else 1:03d} submit date:{at} done date:{at} "
            f"stat:{'UNDELIV' if failed else 'DELIVRD'} err:{'001' if failed else '000'} text:"
        )
        state = _UNDELIVERABLE_STATE if failed else _DELIVERED_STATE
        return await self._deliver_sm(
            record["from"],
            text.encode(),
            source_addr=record["to"],
            esm_class=RECEIPT,
            tlvs=[
                smpp34.Tlv(RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
                smpp34.Tlv(MESSAGE_STATE, bytes([state])),
            ],
        )


def http_side(smsc: Smsc, smpp: SmppSide, bearer: str | None) -> FastAPI:
    """Make the HTTP gateway, and the way for a customer's phone to send an SMS to the bank."""
    app = FastAPI(openapi_url=None)

    @app.post("/v1/incoming")
    async def deliver(request: Request) -> Response:
        """Answer when the bank has acknowledged the SMS; a phone that hangs up does not take it back."""
        sms = Incoming(**await request.json())
        delivering = asyncio.create_task(smpp.deliver(sms))
        smsc.delivering.add(delivering)
        delivering.add_done_callback(smsc.delivering.discard)
        await asyncio.shield(delivering)
        return JSONResponse({"acknowledged": True})

    @app.post("/v1/messages")
    async def take(request: Request) -> Response:
        if bearer is not None and request.headers.get("Authorization") != f"Bearer {bearer}":
            return JSONResponse({"error": "unauthorized"}, 401)
        try:
            body = json.loads(await request.body())
            number, text, sender = (str(body[name]) for name in ("to", "text", "from"))
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "to, from and text are wanted"}, 400)
        number = number.removeprefix("+")
        key = request.headers.get("Idempotency-Key") or uuid.uuid4().hex
        if no_such(number):
            return JSONResponse({"error": "no such number"}, 422)
        if smsc.throttles(number, key):
            return JSONResponse({"error": "too many"}, 429, {"Retry-After": "1"})
        fresh = uuid.uuid4().hex[:16]
        record = {"via": "http", "message_key": key, "to": number, "from": sender, "text": text, "part": None}
        kept = smsc.journal.add(f"{number} {key}", fresh, record)
        return JSONResponse({"id": kept}, 201 if kept == fresh else 200)

    return app


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Take SMS until stopped."""
    own, local = files(config), config.local_environment()
    sms = config.senders.sms if config.senders else None
    smsc = Smsc(Journal(own.sms))
    waiting: dict[str, Any] = {}
    for line in read(own.sms):
        if line.get("receipt") is True:
            waiting[line["id"]] = line
        elif "key" not in line:
            waiting.pop(line["receipt"], None)
    tag = sms.smpp.idempotency_tag if sms is not None and sms.smpp is not None else None
    side = SmppSide(smsc, local.smsc_port, tag, waiting)
    await side.start()
    smpp = asyncio.create_task(side.run())
    bearer = sms.http.bearer if sms is not None and sms.http is not None else None
    app = http_side(smsc, side, None if bearer is None else bearer.get_secret_value())
    try:
        await serve_http(app, own, local.sms_http_port, stop)
    finally:
        smpp.cancel()
        await asyncio.gather(smpp, return_exceptions=True)
