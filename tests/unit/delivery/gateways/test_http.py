"""How answers of HTTP services become outcomes."""

import httpx2

from delivery.gateways import http_answers
from delivery.gateways.base import Result
from delivery.gateways.http import refusal, retry_after


def answer(status: int, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_how_long_a_service_asks_to_wait() -> None:
    assert retry_after(answer(429, Retry_After="7")) == 7
    assert retry_after(answer(429, Retry_After="999999")) == 3600
    assert retry_after(answer(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")) == 0
    assert retry_after(answer(429, Retry_After="soon")) is None
    assert retry_after(answer(429)) is None


def test_which_statuses_are_retried() -> None:
    for status, down in ((429, False), (500, False), (503, True), (403, True)):
        outcome = refusal(answer(status, Retry_After="2"), http_answers.meaning(status, {}))
        assert (outcome.result, outcome.retry_after, outcome.gateway_down) == (Result.RETRY, 2, down)
        assert outcome.reason == f"HTTP {status}"
