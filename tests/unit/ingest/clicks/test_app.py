"""The clicks endpoint's answers, with a Kafka in memory."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from confluent_kafka import KafkaError
from prometheus_client import CollectorRegistry

from account_alerts.config import Config, load
from devenv.bank.web_page import token
from ingest.clicks.app import make_app
from ingest.clicks.writer import Writer
from tests.unit.ingest.fakes import FakeProducer

SECRET = "0123456789abcdef0123456789abcdef"
EVENT = {"event_id": "e", "customer_id": "me", "event_type": "PAGE_VIEWED", "occurred_at": 1}
PROBLEM = "application/problem+json"


class Endpoint:
    """An endpoint in this process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.topic = config.topics.click_events.name
        self.kafka = FakeProducer([self.topic], acknowledges=True)
        self.registry = CollectorRegistry()
        self.writer = Writer(config, self.kafka)  # type: ignore[arg-type]
        self.app = make_app(config, self.writer, self.registry)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        async def ask() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://clicks") as client:
                content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(ask())

    def post(self, body: Any, **headers: str) -> httpx2.Response:
        return self.request("POST", "/v1/events", body, **headers)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"account_alerts_clicks_{name}", labels)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    clicks = {"authentication": "token", "secret": SECRET, "largest_body": 2_000, "retry_after": "2500ms"}
    clicks |= {"request_within": "1s"}
    made = Endpoint(load(overrides={"clicks": clicks}))
    yield made
    made.writer.close()


@pytest.fixture
def bearer(endpoint: Endpoint) -> str:
    return f"Bearer {token(endpoint.config, 'me', 60)}"


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """Return the problem details of an answer."""
    assert answer.headers["Content-Type"] == PROBLEM
    content: dict[str, Any] = answer.json()
    assert content["status"] == answer.status_code
    assert content["title"]
    assert content["detail"].endswith(".")
    assert content.keys() <= {"title", "status", "detail", "errors"}
    return content


def test_events_are_accepted_and_on_kafka(endpoint: Endpoint, bearer: str) -> None:
    answer = endpoint.post([EVENT, {**EVENT, "event_id": "f"}], Authorization=bearer)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2})
    assert [record.key for record in endpoint.kafka.to(endpoint.topic)] == [b"me", b"me"]
    assert endpoint.metric("accepted_events_total") == 2
    assert endpoint.metric("request_duration_seconds_count") == 1


def test_no_token_or_a_wrong_one_is_unauthorized(endpoint: Endpoint, bearer: str) -> None:
    for headers in ({}, {"Authorization": bearer[:-9]}):
        answer = endpoint.post(EVENT, **headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert problem(answer)["title"] == "Unauthorized"
    assert endpoint.metric("rejected_requests_total", status="401") == 2
    assert not endpoint.kafka.written


def test_an_expired_token_is_unauthorized(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    issued_at = time.time() - 120
    with monkeypatch.context() as patch:
        patch.setattr("devenv.bank.web_page.time.time", lambda: issued_at)
        expired = token(endpoint.config, "me", 60)
    answer = endpoint.post(EVENT, Authorization=f"Bearer {expired}")
    assert answer.status_code == 401
    assert "ExpiredTokenError" in problem(answer)["detail"]


def test_events_of_another_customer_are_forbidden(endpoint: Endpoint, bearer: str) -> None:
    answer = endpoint.post([EVENT, {**EVENT, "customer_id": "you"}], Authorization=bearer)
    assert answer.status_code == 403
    assert "another customer's" in problem(answer)["detail"]
    assert not endpoint.kafka.written


def test_the_banks_servers_send_everybodys_events(endpoint: Endpoint) -> None:
    everybody = f"Bearer {token(endpoint.config, None, 60)}"
    answer = endpoint.post([EVENT, {**EVENT, "customer_id": "you"}], Authorization=everybody)
    assert answer.status_code == 202


def test_invalid_events_are_named_by_pointers(endpoint: Endpoint, bearer: str) -> None:
    answer = endpoint.post([EVENT, {**EVENT, "page": "?", "more": 1}], Authorization=bearer)
    assert answer.status_code == 422
    content = problem(answer)
    assert [error["pointer"] for error in content["errors"]] == ["#/1/page", "#/1/more"]
    assert all(error.keys() == {"pointer", "detail"} for error in content["errors"])
    assert content["detail"] == "Nothing was written: 2 errors in the request."
    assert endpoint.metric("rejected_requests_total", status="422") == 1


def test_a_long_body_is_refused(endpoint: Endpoint, bearer: str) -> None:
    answer = endpoint.post(b" " * 2_001, Authorization=bearer)
    assert answer.status_code == 413
    assert "2000 bytes" in problem(answer)["detail"]


def test_without_kafka_the_client_is_told_when_to_come_again(endpoint: Endpoint, bearer: str) -> None:
    endpoint.kafka.errors = {endpoint.topic: KafkaError._MSG_TIMED_OUT}
    answer = endpoint.post(EVENT, Authorization=bearer)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"
    assert "same event_id" in problem(answer)["detail"]
    assert endpoint.metric("unavailable_responses_total") == 1
    assert endpoint.metric("accepted_events_total") == 0


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/events", 405), ("GET", "/none", 404)])
def test_the_frameworks_own_errors_are_problems_too(
    endpoint: Endpoint, method: str, path: str, status: int
) -> None:
    answer = endpoint.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json()["title"]


async def _ask(endpoint: Endpoint, *parts: dict[str, Any], bearer: str) -> list[dict[str, Any]]:
    """Send a request in parts, as the server gives them to the app; then no more comes."""
    waiting = list(parts)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "query_string": b"",
        "headers": [(b"authorization", bearer.encode())],
    }
    await endpoint.app(scope, receive, send)
    return sent


_PART = {"type": "http.request", "body": b'{"event_id": "e', "more_body": True}


def test_a_client_that_goes_in_mid_request_is_counted(
    endpoint: Endpoint, bearer: str, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(_ask(endpoint, _PART, {"type": "http.disconnect"}, bearer=bearer))
    assert endpoint.metric("disconnected_requests_total") == 1
    assert not endpoint.kafka.written
    assert not caplog.records


def test_a_body_that_never_ends_is_told_so(endpoint: Endpoint, bearer: str) -> None:
    start, *_ = asyncio.run(_ask(endpoint, _PART, bearer=bearer))
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert endpoint.metric("rejected_requests_total", status="408") == 1


def test_pages_of_other_origins_may_read_when_to_come_again() -> None:
    origin = "https://www.bank.example"
    made = Endpoint(load(overrides={"clicks": {"origins": [origin]}}))
    made.kafka.errors = {made.topic: KafkaError._MSG_TIMED_OUT}
    answer = made.post(EVENT, Origin=origin)
    made.writer.close()
    assert answer.status_code == 503
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def test_the_web_learns_that_it_lives_and_no_more(endpoint: Endpoint) -> None:
    assert endpoint.request("GET", "/healthz").status_code == 200
    assert endpoint.request("GET", "/readyz").status_code == 404
    assert endpoint.request("GET", "/metrics").status_code == 404
