"""Conversations of the gateways with real servers, over TLS where they speak it."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
import smpp34
import uvloop
from aiosmtplib import SMTP, SMTPException
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from py_vapid import Vapid02
from pydantic import SecretStr
from pywebpush import WebPusher

from account_alerts.config import Config, load
from delivery.gateways import build
from delivery.gateways.base import Gateway, Message, Outcome, Receipt, Result
from delivery.gateways.factory import vapid_key
from delivery.gateways.push.web_push import to_base64
from devenv.fake_gateways import device, received, secrets
from devenv.fake_gateways.files import files
from devenv.services.catalog import MAILBOX, PUSH_SERVICE, SMSC
from tests.component.programs import Programs

pytestmark = pytest.mark.environment
_numbers = iter(range(1_000_000))


@pytest.fixture(scope="module")
def config(programs: Programs) -> Iterator[Config]:
    """The gateways' servers run as long as these tests; what a sender is configured by, secrets included."""
    values = secrets.variables(programs.config)  # Made before the three might all make them.
    with ThreadPoolExecutor() as pool:
        list(pool.map(programs.start, (MAILBOX, SMSC, PUSH_SERVICE)))
    with pytest.MonkeyPatch.context() as variables:
        for name, value in values.items():
            variables.setenv(name, value)
        own = load(files(programs.config).folder / "mailbox.yaml")
    yield own
    # Other tests listen on their ports themselves.
    for part in (MAILBOX, SMSC, PUSH_SERVICE):
        programs.stop(part.program)


def by_http(config: Config) -> Config:
    """The same with SMS by HTTP."""
    assert config.senders is not None
    assert config.senders.sms is not None
    sms = config.senders.sms.model_copy(update={"type": "http"})
    return config.model_copy(update={"senders": config.senders.model_copy(update={"sms": sms})})


def changed(config: Config, *path: str, **values: Any) -> Config:
    """The same with other values in a section below `senders`."""

    def change(section: Any, rest: tuple[str, ...]) -> Any:
        inner = {rest[0]: change(getattr(section, rest[0]), rest[1:])} if rest else values
        return section.model_copy(update=inner)

    return config.model_copy(update={"senders": change(config.senders, path)})


def new(address: str, **fields: Any) -> Message:
    values = {
        "key": f"key{next(_numbers)}",
        "customer_id": "c1",
        "language": "en",
        "title": "Title",
        "text": "Text",
    }
    return Message(address=address, **{**values, **fields})


@asynccontextmanager
async def opened(config: Config, channel: str) -> AsyncIterator[Gateway]:
    gateway, _ = build(config, channel)
    await gateway.open()
    try:
        yield gateway
    finally:
        await gateway.close()


def talk(config: Config, channel: str, conversation: Callable[[Gateway], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with opened(config, channel) as gateway:
            return await conversation(gateway)

    return uvloop.run(asyncio.wait_for(run(), 120))


def sent(config: Config, channel: str, *messages: Message) -> list[Outcome]:
    """The outcomes, one message after the other."""

    async def conversation(gateway: Gateway) -> list[Outcome]:
        return [await gateway.send(message) for message in messages]

    outcomes: list[Outcome] = talk(config, channel, conversation)
    return outcomes


def kept(config: Config, channel: str, message: Message) -> list[received.Item]:
    return [item for item in received.items(config, channel) if item.key == message.key]


async def until_taken(gateway: Gateway, message: Message) -> list[Outcome]:
    """Attempts until the gateway has it."""
    outcomes = [await gateway.send(message)]
    deadline = time.monotonic() + 60
    while outcomes[-1].result is not Result.HANDED_OVER:
        assert time.monotonic() < deadline, outcomes[-1]
        await asyncio.sleep(0.05)  # A gateway says when it is asked.
        outcomes.append(await gateway.send(message))
    return outcomes


def test_a_mail_arrives_as_it_was_written(config: Config) -> None:
    message = new(
        "Anna.1@example.com",
        title="Saldo unter 100,00\u00a0€",
        text="Grüße\n.\nEnde",
        html="<p>Grüße</p>",
        unsubscribe="https://bank.example/stop?token=abc",
    )
    [outcome] = sent(config, "EMAIL", message)
    assert outcome.result is Result.HANDED_OVER
    assert outcome.reference
    [file] = received.mails_of(config, "anna.1@example.com")
    mail = received.read_mail(file)
    assert mail["Subject"].replace("\u00a0", " ") == "Saldo unter 100,00 €"
    assert mail["Message-ID"] == f"<{message.key}@bank.example>"
    assert mail["List-Unsubscribe"].strip() == "<https://bank.example/stop?token=abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [item] = kept(config, "mail", message)
    assert item.text == "Grüße\n.\nEnde\n"
    assert 0 <= time.time() * 1000 - item.arrived_at < 60_000


def test_a_mail_to_an_address_with_an_umlaut(config: Config) -> None:
    message = new("jürgen@example.com")
    assert sent(config, "EMAIL", message)[0].result is Result.HANDED_OVER
    assert len(kept(config, "mail", message)) == 1


@pytest.mark.parametrize(
    ("address", "result", "reason"),
    [
        ("x@refused.example", Result.REFUSED, "SMTP 550 5.1.1"),
        ("x@nowhere.example", Result.REFUSED, "SMTP 556 5.1.10"),
        ("x@busy.example", Result.RETRY, "SMTP 451 4.3.2"),
        ("x@example.com\r\nRCPT TO:<y@example.com>", Result.REFUSED, "no mail address"),
    ],
)
def test_a_mail_that_is_not_taken(config: Config, address: str, result: Result, reason: str) -> None:
    fine = new("b@example.com")
    first, second = sent(config, "EMAIL", new(address), fine)
    assert (first.result, first.reason, first.gateway_down) == (result, reason, False)
    # The same connection goes on.
    assert second.result is Result.HANDED_OVER


def test_a_mail_server_that_is_not_trusted_gets_nothing(config: Config) -> None:
    [outcome] = sent(changed(config, ca_file=None), "EMAIL", new("c@example.com"))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


def test_a_wrong_password_is_the_gateways_fault(config: Config) -> None:
    [outcome] = sent(changed(config, "email", password=SecretStr("wrong")), "EMAIL", new("d@example.com"))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


def test_the_mail_server_wants_tls(config: Config) -> None:
    async def plain() -> None:
        client = SMTP(hostname="localhost", port=config.local_environment().mailbox_port, start_tls=False)
        await client.connect()
        await client.ehlo()
        await client.mail("a@b.example")

    with pytest.raises(SMTPException, match="STARTTLS"):
        asyncio.run(plain())


def test_many_mails_at_a_time(config: Config) -> None:
    messages = [new("many@example.com") for _ in range(100)]

    async def conversation(gateway: Gateway) -> list[Outcome]:
        return await asyncio.gather(*(gateway.send(message) for message in messages))

    outcomes = talk(config, "EMAIL", conversation)
    assert {outcome.result for outcome in outcomes} == {Result.HANDED_OVER}
    keys = [item.key for item in received.items(config, "mail", "many@example.com")]
    assert sorted(keys) == sorted(message.key for message in messages)


def test_an_sms_and_its_receipt(config: Config) -> None:
    fine, lost = new("+420 777 123 456", text="Zustatek 5 €"), new("+99921234567")

    async def conversation(gateway: Gateway) -> None:
        outcomes = [await gateway.send(message) for message in (fine, lost)]
        assert {outcome.result for outcome in outcomes} == {Result.HANDED_OVER}
        receipts = gateway.receipts()
        wanted = {outcome.reference for outcome in outcomes}
        found: dict[str, Receipt] = {}
        while wanted - found.keys():
            receipt = await asyncio.wait_for(anext(receipts), 30)
            found[receipt.reference] = receipt
        assert found[outcomes[0].reference or ""].delivered
        assert not found[outcomes[1].reference or ""].delivered
        assert found[outcomes[1].reference or ""].reason == "UNDELIV 001"

    talk(config, "SMS", conversation)
    [item] = kept(config, "sms", fine)
    assert (item.to, item.text) == ("420777123456", "Zustatek 5 €")


@pytest.mark.parametrize("text", ["Příliš žluťoučký kůň " * 20, "€uro {x} " * 60, "😀" * 100])
@pytest.mark.parametrize("way", ["parts", "message_payload"])
def test_a_long_sms(config: Config, text: str, way: str) -> None:
    message = new("+420777123456", text=text)
    chosen = changed(config, "sms", "smpp", long_texts=way)
    first, again = sent(chosen, "SMS", message, message)
    assert first.result is Result.HANDED_OVER
    assert again.reference == first.reference
    [item] = kept(config, "sms", message)
    assert item.text == text


@pytest.mark.parametrize("way", [lambda config: config, by_http], ids=["smpp", "http"])
def test_sms_that_are_not_taken_at_once(config: Config, way: Callable[[Config], Config]) -> None:
    no_number, nobody, throttled = new("hello"), new("+99901234567"), new("+99911234567")
    outcomes = sent(way(config), "SMS", no_number, nobody, throttled, throttled)
    assert [outcome.result for outcome in outcomes] == [
        Result.REFUSED,
        Result.REFUSED,
        Result.RETRY,
        Result.HANDED_OVER,
    ]
    assert (outcomes[2].retry_after, outcomes[2].gateway_down) == (1, False)
    assert not any("999" in (outcome.reason or "") for outcome in outcomes)
    assert len(kept(config, "sms", throttled)) == 1


def test_an_sms_by_http(config: Config) -> None:
    message = new("+420777123456", text='Příliš {key} "žluťoučký"')
    first, again = sent(by_http(config), "SMS", message, message)
    assert (first.result, again.result) == (Result.HANDED_OVER, Result.HANDED_OVER)
    assert first.reference == again.reference
    [item] = kept(config, "sms", message)
    assert item.text == message.text


def test_a_wrong_bearer_is_the_gateways_fault(config: Config) -> None:
    wrong = changed(by_http(config), "sms", "http", bearer=SecretStr("wrong"))
    [outcome] = sent(wrong, "SMS", new("+420777123456"))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


@pytest.mark.parametrize("kind", ["WEB_PUSH", "FCM", "APNS"])
def test_a_push_arrives_once(config: Config, kind: str) -> None:
    to = device.address(device.create(config, kind))
    message = new(to, title="Žluť", text="100,00\u00a0€", data={"alert_id": "a1"})
    first, again = sent(config, "PUSH", message, message)
    assert (first.result, first.reason) == (Result.HANDED_OVER, None)
    assert again.reference == first.reference
    items = [item for item in received.items(config, "push") if item.to in to]
    assert [(item.key, item.title, item.text) for item in items] == [("a1", "Žluť", "100,00\u00a0€")]


@pytest.mark.parametrize(
    ("kind", "gone", "busy"),
    [("WEB_PUSH", "gone1", "busy1"), ("FCM", "gone1", "busy1"), ("APNS", "dead" * 16, "b0" * 32)],
)
def test_pushes_that_are_not_taken(config: Config, kind: str, gone: str, busy: str) -> None:
    to_gone, to_busy = (device.address(device.create(config, kind, name)) for name in (gone, busy))
    message = new(to_busy)
    outcomes = sent(config, "PUSH", new(to_gone), message, message)
    assert (outcomes[0].result, outcomes[0].reason) == (Result.REFUSED, "device is gone")
    assert (outcomes[1].result, outcomes[1].gateway_down) == (Result.RETRY, False)
    assert outcomes[2].result is Result.HANDED_OVER


def test_no_push_to_a_place_that_a_device_made_up(config: Config) -> None:
    to = device.create(config)
    for endpoint in (
        "https://internal.example/push/x",
        "http://localhost/push/x",
        "https://xlocalhost/",
        "x",
    ):
        to["to"]["endpoint"] = endpoint
        [outcome] = sent(config, "PUSH", new(device.address(to)))
        assert outcome.result is Result.REFUSED


@pytest.mark.parametrize(
    "address", ["", "x", "{}", '{"kind":"WEB_PUSH","to":{}}', '{"kind":"FAX","to":"1"}', "[1]"]
)
def test_what_is_no_device(config: Config, address: str) -> None:
    [outcome] = sent(config, "PUSH", new(address))
    assert outcome.result is Result.REFUSED


def test_pushes_signed_by_another_are_not_taken(config: Config) -> None:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    other = SecretStr(to_base64(number.to_bytes(32)))
    wrong = changed(config, "push", "web", vapid_private_key=other)
    [outcome] = sent(wrong, "PUSH", new(device.address(device.create(config))))
    assert (outcome.result, outcome.reason) == (Result.REFUSED, "HTTP 403")


def test_another_senders_web_push_is_understood(config: Config) -> None:
    """The local push service is held against a library of others."""
    assert config.senders is not None
    assert config.senders.push is not None
    assert config.senders.push.web is not None
    secret = config.senders.push.web.vapid_private_key
    assert secret is not None
    key = vapid_key(secret.get_secret_value())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    to = device.create(config)["to"]
    origin = f"https://localhost:{config.local_environment().push_port}"
    claims = {"sub": "mailto:a@bank.example", "aud": origin, "exp": int(time.time()) + 3600}
    headers = Vapid02.from_pem(pem).sign(claims)
    content = json.dumps({"title": "t", "body": "by another"}).encode()

    session = requests.Session()
    session.verify, session.trust_env = str(files(config).certificate), False
    answer = WebPusher(to, requests_session=session).send(
        content, headers, ttl=60, content_encoding="aes128gcm"
    )
    assert answer.status_code == 201
    assert received.items(config, "push")[-1].text == "by another"


def test_a_mail_server_that_is_killed(config: Config, programs: Programs) -> None:
    message, later = new("killed@example.com"), new("killed@example.com")

    async def conversation(gateway: Gateway) -> list[Outcome]:
        assert (await gateway.send(message)).result is Result.HANDED_OVER
        programs.stop("mailbox")
        away = await gateway.send(later)
        programs.start(MAILBOX)
        # The answer to the first was lost, as far as a sender knows that was killed.
        return [away, *await until_taken(gateway, later), *await until_taken(gateway, message)]

    outcomes = talk(config, "EMAIL", conversation)
    assert (outcomes[0].result, outcomes[0].gateway_down) == (Result.RETRY, True)
    assert [len(kept(config, "mail", each)) for each in (message, later)] == [1, 1]


def test_an_smsc_that_is_killed(config: Config, programs: Programs) -> None:
    message = new("+420777123456")

    async def conversation(gateway: Gateway) -> None:
        assert (await gateway.send(message)).result is Result.HANDED_OVER
        programs.kill("smsc")
        outcomes = await until_taken(gateway, new("+420777123456"))
        assert all(outcome.gateway_down for outcome in outcomes[:-1])
        again = await until_taken(gateway, message)
        receipts = gateway.receipts()
        while (await asyncio.wait_for(anext(receipts), 30)).reference != outcomes[-1].reference:
            continue
        assert again[-1].result is Result.HANDED_OVER

    talk(config, "SMS", conversation)
    assert len(kept(config, "sms", message)) == 1


def test_receipts_of_a_killed_smsc_come_later(config: Config, programs: Programs) -> None:
    """One that was taken from a client without a way for receipts has its receipt after a restart."""
    key = f"key{next(_numbers)}"

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
    talk(config, "SMS", conversation)


def test_push_services_that_are_killed(config: Config, programs: Programs) -> None:
    messages = [new(device.address(device.create(config, kind))) for kind in ("WEB_PUSH", "FCM", "APNS")]

    async def conversation(gateway: Gateway) -> None:
        for message in messages:
            assert (await gateway.send(message)).result is Result.HANDED_OVER
        programs.stop("push_service")
        for message in messages:
            assert (await gateway.send(message)).gateway_down
        programs.start(PUSH_SERVICE)
        for message in messages:
            await until_taken(gateway, message)

    talk(config, "PUSH", conversation)
    assert [len(kept(config, "push", message)) for message in messages] == [1, 1, 1]


def test_the_servers_certificate_is_for_nobody_else(config: Config) -> None:
    context = ssl.create_default_context(cafile=str(files(config).certificate))
    assert context.check_hostname
    assert oct(files(config).keys.stat().st_mode)[-3:] == "600"
    assert oct(files(config).variables.stat().st_mode)[-3:] == "600"
