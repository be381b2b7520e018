"""Customers' SMS as gateways post them."""

import json
import socket
import threading
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from account_alerts.config import PROJECT, ConfigError, load
from account_alerts.config.gateways import SmsCallback, SmsHttp
from account_alerts.model.alerts import Channel
from account_alerts.model.errors import UnreachableError
from delivery.gateways.base import WITHDRAWN, Message
from delivery.gateways.factory import make_gateway
from delivery.gateways.sms.callback import CallbackServer, InvalidCallbackError, make_app, parse_callback
from delivery.gateways.sms.http import SmsHttpGateway
from delivery.gateways.sms.incoming import IncomingSms, readings
from tests.unit.delivery.fakes import run

FORM = "application/x-www-form-urlencoded"
STOP = {"from": "+420777123456", "text": "STOP"}


class Endpoint:
    """The endpoint, and what it hands over."""

    def __init__(self, **config: Any) -> None:
        self.got: list[IncomingSms] = []
        self.failure: Exception | None = None
        self.client = TestClient(make_app(SmsCallback.model_validate(config), self._take, 1.0))

    async def _take(self, sms: IncomingSms) -> None:
        if self.failure is not None:
            raise self.failure
        self.got.append(sms)


@pytest.mark.parametrize(
    ("config", "content_type", "body"),
    [
        ({}, "application/json", json.dumps(STOP)),
        ({}, "application/json; charset=utf-8", json.dumps([STOP])),
        ({}, "", json.dumps(STOP)),
        ({"number": "From", "text": "Body"}, FORM, "From=%2B420777123456&Body=STOP&To=1"),
        ({"messages": "results"}, "application/json", json.dumps({"results": [STOP], "count": 1})),
        (
            {"number": "sender.msisdn", "text": "message.body"},
            "application/json",
            json.dumps({"sender": {"msisdn": 420777123456}, "message": {"body": "STOP"}}),
        ),
    ],
)
def test_gateways_differ_in_form_and_fields(config: dict[str, str], content_type: str, body: str) -> None:
    [sms] = parse_callback(SmsCallback.model_validate(config), content_type, body.encode())
    assert (sms.number, next(readings([sms]))) == ("420777123456", "STOP")


@pytest.mark.parametrize(
    "body", ["", "{", "null", "5", "[5]", '{"from": "+420777123456"}', '{"text": "STOP"}', "[" * 100_000]
)
def test_what_holds_no_sms(body: str) -> None:
    with pytest.raises(InvalidCallbackError):
        parse_callback(SmsCallback(), "application/json", body.encode())
    assert Endpoint().client.post("/v1/sms", content=body).status_code == 422


def test_a_text_of_any_letters_and_a_sender_without_a_number() -> None:
    posted = [STOP | {"text": "\ud800 😀"}, STOP | {"from": "Operator"}]
    assert len(parse_callback(SmsCallback(), "", json.dumps(posted).encode())) == 1


def test_an_sms_is_acknowledged_when_it_is_recorded() -> None:
    endpoint = Endpoint()
    endpoint.failure = RuntimeError("no database")
    answer = endpoint.client.post("/v1/sms", json=STOP)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    endpoint.failure = None
    assert endpoint.client.post("/v1/sms", json=[STOP, STOP]).status_code == 204
    assert len(endpoint.got) == 2


def test_only_who_has_the_secret_may_post() -> None:
    endpoint = Endpoint(secret="Bearer abc", path="/hook")
    for headers in ({}, {"Authorization": "Bearer ab"}, {"Authorization": "abc"}):
        assert endpoint.client.post("/hook", json=STOP, headers=headers).status_code == 401
    right = {"Authorization": "Bearer abc"}
    assert endpoint.client.post("/hook", json=STOP, headers=right).status_code == 204
    assert endpoint.client.get("/hook", headers=right).status_code == 405
    assert len(endpoint.got) == 1


def test_others_than_this_machine_need_a_secret() -> None:
    sms = {
        "type": "http",
        "http": {
            "url": "https://sms.example/v1",
            "body": {},
            "sender": "Bank",
            "callback": {"host": "0.0.0.0"},
        },
    }
    config = load(PROJECT / "conf/local.yaml", {"senders": {"sms": sms}})
    with pytest.raises(ConfigError, match=r"senders\.sms\.http\.callback\.secret"):
        make_gateway(config, Channel.SMS)


def test_the_endpoint_is_served_beside_the_sender() -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            config = SmsCallback(host="127.0.0.1", port=port)
            with pytest.raises(UnreachableError, match=str(port)):
                await CallbackServer(config, take, 1.0).start()
        server = CallbackServer(config, take, 1.0)
        await server.start()
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"http://127.0.0.1:{port}/v1/sms", json=STOP)
        assert answer.status_code == 204
        assert [(sms.number, thread) for sms, thread in got] == [("420777123456", threading.get_ident())]
        await server.stop()

    got = []

    async def take(sms: IncomingSms) -> None:
        got.append((sms, threading.get_ident()))

    run(work)


def test_a_gateway_listens_while_it_is_open_and_sends_only_what_is_wanted() -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            callback = {"host": "127.0.0.1", "port": free.getsockname()[1], "secret": "s", "header": "X-Key"}
        http = {"url": "https://localhost:1/v1", "body": {}, "sender": "Bank", "callback": callback}
        gateway = SmsHttpGateway(SmsHttp.model_validate(http))
        gateway.handler = take
        await gateway.open()
        address = f"http://127.0.0.1:{callback['port']}/v1/sms"
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.post(address, json=STOP, headers={"X-Key": "s"})
            assert answer.status_code == 204
            message = Message("k", "c1", "+420777123456", "en", "", "x", is_wanted=not_any_more)
            assert await gateway.send(message) is WITHDRAWN
            await gateway.close()
            with pytest.raises(httpx2.HTTPError):
                await client.post(address, json=STOP)
        assert [sms.number for sms in got] == ["420777123456"]

    got = []

    async def take(sms: IncomingSms) -> None:
        got.append(sms)

    async def not_any_more() -> bool:
        return False

    run(work)
