"""Bodies of requests to an SMS gateway, and what its answers mean."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from account_alerts.config.gateways import SmsHttp
from delivery.gateways.base import Outcome, Result
from delivery.gateways.sms.http import SmsHttpGateway, fill
from tests.unit.delivery.fakes import run
from tests.unit.delivery.gateways.http_service import connect, respond
from tests.unit.delivery.gateways.messages import new_message


@given(st.text(), st.text())
def test_a_body_is_filled_in_once(text: str, to: str) -> None:
    template = {"a": ["{to}", {"b": "x {text} {y} {"}], "n": 5}
    assert fill(template, {"to": to, "text": text}) == {"a": [to, {"b": f"x {text} {{y}} {{"}], "n": 5}


def send(answer: httpx2.Response | Callable[[], httpx2.Response], **settings: Any) -> Outcome:
    gateway = SmsHttpGateway(
        SmsHttp(url="https://sms.example/v1", body={"to": "{to}"}, sender="Bank", **settings)
    )
    connect(gateway, lambda _: answer if isinstance(answer, httpx2.Response) else answer())
    outcomes: list[Outcome] = []

    async def conversation() -> None:
        outcomes.append(await gateway.send(new_message(address="+420777123456")))

    run(conversation)
    return outcomes[0]


@pytest.mark.parametrize("status", [302, 401, 402, 403, 404, 405, 407, 415, 503])
def test_what_is_about_our_account_or_configuration_stops_the_route(status: int) -> None:
    outcome = send(respond(status, {"error": "no credit"}))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


@pytest.mark.parametrize("status", [400, 418, 422])
def test_what_may_be_the_number_or_our_request_is_in_doubt(status: int) -> None:
    outcome = send(respond(status))
    assert (outcome.result, outcome.gateway_down, outcome.doubtful) == (Result.RETRY, False, True)


@pytest.mark.parametrize("status", [409, 429, 500])
def test_what_passes_is_tried_again(status: int) -> None:
    outcome = send(respond(status))
    assert (outcome.result, outcome.gateway_down, outcome.doubtful) == (Result.RETRY, False, False)


def test_a_message_that_is_too_long_is_rejected() -> None:
    assert send(respond(413)).result is Result.REJECTED


@pytest.mark.parametrize(
    ("error", "unanswered", "unasked", "down"),
    [
        (httpx2.ReadTimeout("t"), True, False, False),
        (httpx2.PoolTimeout("t"), False, True, False),
        (httpx2.ConnectError("t"), False, False, True),
    ],
)
def test_where_there_is_no_answer(error: Exception, unanswered: bool, unasked: bool, down: bool) -> None:
    def fail() -> httpx2.Response:
        raise error

    outcome = send(fail)
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, down)
    assert (outcome.unanswered, outcome.unasked) == (unanswered, unasked)


def test_a_yes_that_does_not_name_the_message_is_none() -> None:
    assert send(respond(200, {"id": "m1"})).reference == "m1"
    assert send(respond(204)).result is Result.SENT
    bodies: list[Any] = [{"error": "no credit"}, {"id": None}, [], "ok"]
    for body in bodies:
        outcome = send(respond(200, body))
        assert (outcome.result, outcome.doubtful) == (Result.RETRY, True)
        assert outcome.reason == "HTTP 200 without an id"


@pytest.mark.parametrize(
    ("status", "code", "result", "down", "doubtful"),
    [
        (200, "0", Result.SENT, False, False),
        (200, 9, Result.RETRY, True, False),
        (200, "6", Result.REJECTED, False, False),
        (200, "1", Result.RETRY, False, False),
        (200, "77", Result.RETRY, False, True),
        (422, "77", Result.REJECTED, False, False),
        (400, "9", Result.RETRY, True, False),
        (401, "77", Result.RETRY, True, False),
    ],
)
def test_the_vendors_codes_say_what_an_answer_is_about(
    status: int, code: object, result: Result, down: bool, doubtful: bool
) -> None:
    codes = {"0": "taken", "9": "us", "6": "address", "1": "later", "422": "address"}
    answer = respond(status, {"messages": [{"status": code, "message-id": "m1"}]})
    outcome = send(answer, id_field="messages.0.message-id", code_field="messages.0.status", codes=codes)
    assert (outcome.result, outcome.gateway_down, outcome.doubtful) == (result, down, doubtful)
    assert outcome.reference == ("m1" if result is Result.SENT else None)
