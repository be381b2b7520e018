"""The session with an SMSC, against one that speaks PDUs by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import smpp34

from account_alerts.config.gateways import Smpp
from delivery.gateways.base import WITHDRAWN, Message, Result
from delivery.gateways.sms import smpp_pdu
from delivery.gateways.sms.incoming import IncomingSms
from delivery.gateways.sms.smpp import SmppGateway
from delivery.gateways.sms.smpp_encoding import MESSAGE_STATE, RECEIPT, RECEIPTED_MESSAGE_ID
from tests.unit.delivery.fakes import run

Pdu = tuple[int, int, int, bytes]
"""Command, status, sequence, the whole PDU."""
MESSAGE = Message("k1", "c1", "+420777123456", "en", "", "Hello")


class FakeSmsc:
    """An SMSC that a test holds the conversation of."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[Pdu] = asyncio.Queue()
        self.ended = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.ended.clear()
        try:
            while True:
                head = await reader.readexactly(smpp_pdu.HEADER.size)
                length, command, status, sequence = smpp_pdu.HEADER.unpack(head)
                whole = head + await reader.readexactly(length - len(head))
                if command == smpp_pdu.BIND_TRANSCEIVER:
                    self.send(smpp_pdu.pdu(command | smpp_pdu.RESPONSE, sequence, b"smsc\0"))
                elif command == smpp_pdu.UNBIND:
                    self.send(smpp_pdu.pdu(command | smpp_pdu.RESPONSE, sequence))
                else:
                    self.received.put_nowait((command, status, sequence, whole))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended.set()
        finally:
            writer.close()

    def send(self, *pdus: bytes) -> None:
        assert self._writer is not None
        self._writer.write(b"".join(pdus))

    async def expect(self, command: int) -> Pdu:
        found = await self.received.get()
        assert found[0] == command
        return found


def deliver(sequence: int, text: bytes, **fields: Any) -> bytes:
    return smpp34.DeliverSm("420777123456", "Bank", text, sequence_number=sequence, **fields).encode()


def converse(
    conversation: Callable[[FakeSmsc, SmppGateway, list[IncomingSms]], Awaitable[None]], **config: Any
) -> None:
    """Hold a conversation between an SMSC and a gateway that is bound."""

    async def work() -> None:
        smsc, got = FakeSmsc(), list[IncomingSms]()
        server = await smsc.start()
        port = server.sockets[0].getsockname()[1]
        values = {"host": "127.0.0.1", "port": port, "tls": False, "system_id": "a", "sender": "Bank"}
        gateway = SmppGateway(Smpp.model_validate(values | config))

        async def handler(sms: IncomingSms) -> None:
            got.append(sms)

        gateway.handler = handler
        await gateway.open()
        try:
            await conversation(smsc, gateway, got)
        finally:
            await gateway.close()
            server.close()

    run(work)


def test_a_customers_sms_is_acknowledged_when_it_is_recorded() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, _: list[IncomingSms]) -> None:
        recorded, started = asyncio.Event(), asyncio.Event()

        async def handler(sms: IncomingSms) -> None:
            started.set()
            await recorded.wait()

        gateway.handler = handler
        smsc.send(deliver(7, b"STOP"))
        await started.wait()
        smsc.send(smpp_pdu.pdu(smpp_pdu.ENQUIRE_LINK, 8))
        # The session goes on meanwhile; nothing says that the SMS is recorded before it is.
        assert (await smsc.expect(smpp_pdu.ENQUIRE_LINK | smpp_pdu.RESPONSE))[2] == 8
        recorded.set()
        answer = await smsc.expect(smpp_pdu.DELIVER_SM | smpp_pdu.RESPONSE)
        assert answer[1:3] == (smpp_pdu.OK, 7)

    converse(conversation)


def test_what_is_not_recorded_is_asked_for_again() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, _: list[IncomingSms]) -> None:
        async def fails(sms: IncomingSms) -> None:
            raise RuntimeError("no database")

        async def hangs(sms: IncomingSms) -> None:
            await asyncio.Event().wait()

        for handler in (fails, hangs):
            gateway.handler = handler
            smsc.send(deliver(1, b"STOP"))
            answer = await smsc.expect(smpp_pdu.DELIVER_SM | smpp_pdu.RESPONSE)
            assert answer[1] == smpp_pdu.TEMPORARY_ERROR

    converse(conversation, timeout="200ms")


def test_sms_come_in_every_shape() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, got: list[IncomingSms]) -> None:
        payload = smpp34.Tlv(0x0424, "ODHLÁSIT".encode("utf-16-be"))
        data_sm = b"\0\x01\x01" + b"420777123456\0\5\0Bank\0\0\0\0" + b"\x04\x24\x00\x04STOP"
        whole = [
            deliver(1, b"STOP"),
            deliver(2, b"", data_coding=8, tlvs=[payload]),
            deliver(3, b"\5\0\3\7\2\1ST", esm_class=0x40),
            smpp_pdu.pdu(smpp_pdu.DATA_SM, 4, data_sm),
        ]
        stream = b"".join(whole)
        for at in range(0, len(stream), 11):
            smsc.send(stream[at : at + 11])
            await asyncio.sleep(0)
        answers = [await smsc.received.get() for _ in whole]
        assert sorted(answer[2] for answer in answers) == [1, 2, 3, 4]
        assert {answer[1] for answer in answers} == {smpp_pdu.OK}
        assert [sms.body for sms in got] == [b"STOP", payload.value, b"ST", b"STOP"]

    converse(conversation)


def test_receipts_come_by_deliver_sm_and_data_sm() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, got: list[IncomingSms]) -> None:
        tlvs = [smpp34.Tlv(RECEIPTED_MESSAGE_ID, b"m1\0"), smpp34.Tlv(MESSAGE_STATE, b"\2")]
        smsc.send(deliver(1, b"id:m1 stat:DELIVRD", esm_class=RECEIPT, tlvs=tlvs))
        parameters = b"\0\x1e\0\3m2\0" + b"\x04\x27\0\1\5"
        data_sm = b"\0\x01\x01" + b"420777123456\0\5\0Bank\0\4\0\0" + parameters
        smsc.send(smpp_pdu.pdu(smpp_pdu.DATA_SM, 2, data_sm))
        receipts = gateway.receipts()
        found = [await anext(receipts) for _ in range(2)]
        assert [(each.reference, each.delivered) for each in found] == [("m1", True), ("m2", False)]
        assert got == []

    converse(conversation)


def test_an_sms_is_sent_and_one_that_is_not_wanted_is_not() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, _: list[IncomingSms]) -> None:
        sending = asyncio.create_task(gateway.send(MESSAGE))
        submit = await smsc.expect(smpp_pdu.SUBMIT_SM)
        submitted = smpp34.decode(submit[3])
        assert isinstance(submitted, smpp34.SubmitSm)
        assert (submitted.destination_addr, submitted.short_message) == ("420777123456", b"Hello")
        smsc.send(smpp_pdu.pdu(smpp_pdu.SUBMIT_SM | smpp_pdu.RESPONSE, submit[2], b"id7\0"))
        outcome = await sending
        assert (outcome.result, outcome.reference) == (Result.SENT, "id7")

        async def not_any_more() -> bool:
            return False

        unwanted = Message("k2", "c1", MESSAGE.address, "en", "", "Hello", is_wanted=not_any_more)
        assert await gateway.send(unwanted) is WITHDRAWN
        assert smsc.received.empty()

    converse(conversation)


def test_an_smsc_that_unbinds_still_answers_what_is_under_way() -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, _: list[IncomingSms]) -> None:
        sending = asyncio.create_task(gateway.send(MESSAGE))
        submit = await smsc.expect(smpp_pdu.SUBMIT_SM)
        smsc.send(smpp_pdu.pdu(smpp_pdu.UNBIND, 1))
        smsc.send(smpp_pdu.pdu(smpp_pdu.ENQUIRE_LINK, 2))
        await smsc.expect(smpp_pdu.ENQUIRE_LINK | smpp_pdu.RESPONSE)
        later = await gateway.send(MESSAGE)
        assert (later.result, later.gateway_down) == (Result.RETRY, True)
        smsc.send(smpp_pdu.pdu(smpp_pdu.SUBMIT_SM | smpp_pdu.RESPONSE, submit[2], b"id7\0"))
        assert (await sending).result is Result.SENT
        await smsc.expect(smpp_pdu.UNBIND | smpp_pdu.RESPONSE)

    converse(conversation)


@pytest.mark.parametrize("garbage", [b"\0\0\0\1" + bytes(12), b"\xff" * 16])
def test_what_is_no_pdu_ends_the_session_and_a_new_one_is_bound(garbage: bytes) -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, got: list[IncomingSms]) -> None:
        smsc.send(garbage)
        await smsc.ended.wait()
        while (await gateway.send(Message("k3", "c1", "no number", "en", "", "x"))).gateway_down:
            await asyncio.sleep(0)
        while smsc.ended.is_set():
            await asyncio.sleep(0.01)
        smsc.send(deliver(1, b"STOP"))
        await smsc.expect(smpp_pdu.DELIVER_SM | smpp_pdu.RESPONSE)
        assert len(got) == 1

    converse(conversation)


@pytest.mark.parametrize("length", range(17, 40))
def test_a_deliver_that_is_cut_off_is_answered_with_an_error(length: int) -> None:
    async def conversation(smsc: FakeSmsc, gateway: SmppGateway, got: list[IncomingSms]) -> None:
        cut = smpp_pdu.pdu(smpp_pdu.DELIVER_SM, 1, deliver(1, b"STOP")[16:length])
        smsc.send(cut, smpp_pdu.pdu(0x111, 2))
        answers = {answer[2]: answer for answer in (await smsc.received.get(), await smsc.received.get())}
        assert answers[1][1] != smpp_pdu.OK
        assert answers[2][:2] == (smpp_pdu.RESPONSE, smpp_pdu.INVALID_COMMAND_ID)
        assert got == []

    converse(conversation)
