"""Web Push, FCM and APNs with services that check what they get."""

import json
import time
from collections.abc import Iterator

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from py_vapid import Vapid02
from pydantic import SecretStr
from pywebpush import WebPusher

from account_alerts.config import Config
from delivery.gateways import base64url
from delivery.gateways.base import Gateway, Result
from delivery.gateways.factory import parse_vapid_key
from devenv.fake_gateways import device, received
from devenv.fake_gateways.files import files
from devenv.services.catalog import PUSH_SERVICE
from tests.component.gateway_harness import (
    converse,
    items_with_key,
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
    """Run the push services; returns the configuration of a sender."""
    with running(programs, PUSH_SERVICE) as own:
        yield own


@pytest.mark.parametrize("kind", ["WEB_PUSH", "FCM", "APNS"])
def test_a_push_arrives_once(config: Config, kind: str) -> None:
    to = device.address(device.create(config, kind))
    message = new_message(to, title="Žluť", text="100,00\u00a0€", data={"alert_id": "a1"})
    first, again = send(config, "PUSH", message, message)
    assert (first.result, first.reason) == (Result.SENT, None)
    assert again.reference == first.reference
    items = [item for item in received.items(config, "push") if item.to in to]
    assert [(item.key, item.title, item.text) for item in items] == [("a1", "Žluť", "100,00\u00a0€")]


@pytest.mark.parametrize(
    ("kind", "gone", "busy"),
    [("WEB_PUSH", "gone1", "busy1"), ("FCM", "gone1", "busy1"), ("APNS", "dead" * 16, "b0" * 32)],
)
def test_pushes_that_are_not_taken(config: Config, kind: str, gone: str, busy: str) -> None:
    to_gone, to_busy = (device.address(device.create(config, kind, name)) for name in (gone, busy))
    message = new_message(to_busy)
    outcomes = send(config, "PUSH", new_message(to_gone), message, message)
    assert (outcomes[0].result, outcomes[0].reason) == (Result.REJECTED, "device is gone")
    # FCM says that a quota is used up, which is all devices'.
    assert (outcomes[1].result, outcomes[1].gateway_down) == (Result.RETRY, kind == "FCM")
    assert outcomes[2].result is Result.SENT


def test_no_push_to_a_place_that_a_device_made_up(config: Config) -> None:
    to = device.create(config)
    for endpoint in (
        "https://internal.example/push/x",
        "http://localhost/push/x",
        "https://xlocalhost/",
        "x",
    ):
        to["to"]["endpoint"] = endpoint
        [outcome] = send(config, "PUSH", new_message(device.address(to)))
        assert outcome.result is Result.REJECTED


@pytest.mark.parametrize(
    "address", ["", "x", "{}", '{"kind":"WEB_PUSH","to":{}}', '{"kind":"FAX","to":"1"}', "[1]"]
)
def test_what_is_no_device(config: Config, address: str) -> None:
    [outcome] = send(config, "PUSH", new_message(address))
    assert outcome.result is Result.REJECTED


def test_pushes_signed_by_another_are_not_taken(config: Config) -> None:
    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    other = SecretStr(base64url.encode(number.to_bytes(32)))
    wrong = override(config, "push", "web", vapid_private_key=other)
    [outcome] = send(wrong, "PUSH", new_message(device.address(device.create(config))))
    assert (outcome.result, outcome.reason, outcome.gateway_down) == (Result.RETRY, "HTTP 403", True)


def test_another_senders_web_push_is_understood(config: Config) -> None:
    """The local push service is held against a library of others."""
    assert config.senders is not None
    assert config.senders.push is not None
    assert config.senders.push.web is not None
    secret = config.senders.push.web.vapid_private_key
    assert secret is not None
    key = parse_vapid_key(secret.get_secret_value())
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


def test_push_services_that_are_killed(config: Config, programs: Programs) -> None:
    messages = [
        new_message(device.address(device.create(config, kind))) for kind in ("WEB_PUSH", "FCM", "APNS")
    ]

    async def conversation(gateway: Gateway) -> None:
        for message in messages:
            assert (await gateway.send(message)).result is Result.SENT
        programs.stop("push_service")
        for message in messages:
            assert (await gateway.send(message)).gateway_down
        programs.start(PUSH_SERVICE)
        for message in messages:
            await send_until_taken(gateway, message)

    converse(config, "PUSH", conversation)
    assert [len(items_with_key(config, "push", message)) for message in messages] == [1, 1, 1]
