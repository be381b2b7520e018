"""SMPP with a real SMSC, and SMS by HTTP."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
import smpp34
from pydantic import SecretStr

from account_alerts.config import Config
from delivery.gateways.base import Gateway, Receipt, Result
from delivery.gateways.sms.incoming import IncomingSms, readings
from devenv.fake_gateways.phone import send_sms
from devenv.services.catalog import SMSC
from tests.component.gateway_harness import (
    converse,
    items_with_key,
    new_key,
    new_message,
    override,
    running,
    send,
    send_until_taken,
)
from tests.component.programs import Programs

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def config(programs: Programs) -> Iterator[Config]:
    """Run an SMSC; returns the configuration of a sender."""
    with running(programs, SMSC) as own:
        yield own


def sms_by_http(config: Config) -> Config:
    """Return the same with SMS by HTTP."""
    assert config.senders is not None
    assert config.senders.sms is not None
    sms = config.senders.sms.model_copy(update={"type": "http"})
    return config.model_copy(update={"senders": config.senders.model_copy(update={"sms": sms})})


def test_an_sms_and_its_receipt(config: Config) -> None:
    fine, lost = new_message("+420 777 123 456", text="Zustatek 5 €"), new_message("+99921234567")

    async def conversation(gateway: Gateway) -> None:
        outcomes = [await gateway.send(message) for message in (fine, lost)]
        assert {outcome.result for outcome in outcomes} == {Result.SENT}
        receipts = gateway.receipts()
        wanted = {outcome.reference for outcome in outcomes}
        found: dict[str, Receipt] = {}
        while wanted - found.keys():
            receipt = await asyncio.wait_for(anext(receipts), 30)
            found[receipt.reference] = receipt
        assert found[outcomes[0].reference or ""].delivered
        assert not found[outcomes[1].reference or ""].delivered
        assert found[outcomes[1].reference or ""].reason == "UNDELIV 001"

    converse(config, "SMS", conversation)
    [item] = items_with_key(config, "sms", fine)
    assert (item.to, item.text) == ("420777123456", "Zustatek 5 €")


@pytest.mark.parametrize("text", ["Příliš žluťoučký kůň " * 20, "€uro {x} " * 60, "😀" * 100])
@pytest.mark.parametrize("way", ["parts", "message_payload"])
def test_a_long_sms(config: Config, text: str, way: str) -> None:
    message = new_message("+420777123456", text=text)
    chosen = override(config, "sms", "smpp", long_texts=way)
    first, again = send(chosen, "SMS", message, message)
    assert first.result is Result.SENT
    assert again.reference == first.reference
    [item] = items_with_key(config, "sms", message)
    assert item.text == text


@pytest.mark.parametrize("way", [lambda config: config, sms_by_http], ids=["smpp", "http"])
def test_sms_that_are_not_taken_at_once(config: Config, way: Callable[[Config], Config]) -> None:
    no_number, nobody, throttled = (
        new_message("hello"),
        new_message("+99901234567"),
        new_message("+99911234567"),
    )
    outcomes = send(way(config), "SMS", no_number, nobody, throttled, throttled)
    assert [outcome.result for outcome in outcomes] == [
        Result.REJECTED,
        Result.REJECTED,
        Result.RETRY,
        Result.SENT,
    ]
    assert (outcomes[2].retry_after, outcomes[2].gateway_down) == (1, False)
    assert not any("999" in (outcome.reason or "") for outcome in outcomes)
    assert len(items_with_key(config, "sms", throttled)) == 1


def test_an_sms_by_http(config: Config) -> None:
    message = new_message("+420777123456", text='Příliš {key} "žluťoučký"')
    first, again = send(sms_by_http(config), "SMS", message, message)
    assert (first.result, again.result) == (Result.SENT, Result.SENT)
    assert first.reference == again.reference
    [item] = items_with_key(config, "sms", message)
    assert item.text == message.text


def test_a_wrong_bearer_is_the_gateways_fault(config: Config) -> None:
    wrong = override(sms_by_http(config), "sms", "http", bearer=SecretStr("wrong"))
    [outcome] = send(wrong, "SMS", new_message("+420777123456"))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


def test_an_smsc_that_is_killed(config: Config, programs: Programs) -> None:
    message = new_message("+420777123456")

    async def conversation(gateway: Gateway) -> None:
        assert (await gateway.send(message)).result is Result.SENT
        programs.kill("smsc")
        outcomes = await send_until_taken(gateway, new_message("+420777123456"))
        assert all(outcome.gateway_down for outcome in outcomes[:-1])
        again = await send_until_taken(gateway, message)
        receipts = gateway.receipts()
        while (await asyncio.wait_for(anext(receipts), 30)).reference != outcomes[-1].reference:
            continue
        assert again[-1].result is Result.SENT

    converse(config, "SMS", conversation)
    assert len(items_with_key(config, "sms", message)) == 1


def test_receipts_of_a_killed_smsc_come_later(config: Config, programs: Programs) -> None:
    """One that was taken from a client without a way for receipts has its receipt after a restart."""
    key = new_key()

    async def submit() -> str:
        port = config.local_environment().smsc_port
        client = smpp34.Client("localhost", port, "alerts", "x", bind_type="TX")
        session = await client.connect()
        answer = await session.submit_sm(
            "420777000111", b"x", registered_delivery=1, tlvs=[smpp34.Tlv(0x1401, key.encode())]
        )
        await client.stop()
        return str(answer.message_id)

    async def conversation(gateway: Gateway) -> None:
        receipts = gateway.receipts()
        while (await asyncio.wait_for(anext(receipts), 30)).reference != message_id:
            continue

    message_id = asyncio.run(submit())
    programs.kill("smsc")
    programs.wait(SMSC)
    converse(config, "SMS", conversation)


@pytest.mark.parametrize(
    ("text", "parts", "payload"),
    [("STOP", 1, False), ("STOP", 1, True), ("ODHLÁSIT", 2, False), ("Stop" + "\n" * 300, 3, False)],
)
def test_what_a_customer_sends(config: Config, text: str, parts: int, payload: bool) -> None:
    got: list[IncomingSms] = []

    async def conversation(gateway: Gateway) -> None:
        await asyncio.to_thread(send_sms, config, "+420 777 123 456", text, parts=parts, payload=payload)

    async def handler(sms: IncomingSms) -> None:
        got.append(sms)

    converse(config, "SMS", conversation, handler)
    assert {(sms.number, sms.recipient) for sms in got} == {("420777123456", "Bank")}
    assert next(readings(got)) == text
    assert [sms.part and sms.part.number for sms in got] == ([None] if parts == 1 else [*range(1, parts + 1)])


def test_what_is_not_recorded_is_delivered_again(config: Config) -> None:
    got: list[IncomingSms] = []

    async def conversation(gateway: Gateway) -> None:
        await asyncio.to_thread(send_sms, config, "+420777123456", "STOP")

    async def handler(sms: IncomingSms) -> None:
        got.append(sms)
        if len(got) < 3:
            raise RuntimeError("no database")

    converse(config, "SMS", conversation, handler)
    assert len(got) == 3
