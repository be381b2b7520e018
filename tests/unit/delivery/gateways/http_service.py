"""HTTP services in memory for the gateways that speak HTTP."""

from collections.abc import Callable
from typing import Any

import httpx2

from delivery.gateways.http import HttpService

Answers = Callable[[httpx2.Request], httpx2.Response]


def connect(service: HttpService, answers: Answers) -> list[httpx2.Request]:
    """Have a service's requests answered; returns them as they come."""
    requests: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        requests.append(request)
        return answers(request)

    service._client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    return requests


def respond(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """Return a response with a body of JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return httpx2.Response(status, headers=named)
    return httpx2.Response(status, headers=named, json=body)
