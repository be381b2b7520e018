"""The clicks endpoint with a real broker: what it accepted is in Kafka, whatever is stopped or killed."""

import json
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import psutil
import pytest

from account_alerts.config import Config
from account_alerts.kafka.clients import read_to_end
from account_alerts.records.codec import codec
from devenv.bank.web_page import ClicksError, example, send, token
from devenv.services.catalog import CLICKS
from devenv.services.clicks import metrics, where
from operations.waiting import wait_for
from tests.component.conftest import KAFKA
from tests.component.programs import Programs

pytestmark = pytest.mark.environment
ORIGIN = "https://www.bank.example"


def event(customer: str = "2", **more: Any) -> dict[str, Any]:
    return {
        "event_id": str(uuid.uuid4()),
        "customer_id": customer,
        "event_type": "PAGE_VIEWED",
        "occurred_at": int(time.time() * 1000),
        **more,
    }


def kept(config: Config) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Key and record of what the topic holds, by event_id."""
    decoder = codec(config)
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for message in read_to_end(config, config.topics.click_events.name):
        value, key = message.value(), message.key()
        if value is not None and key is not None:
            record = decoder.decode("ClickEvent", bytes(value))
            found.setdefault(record["event_id"], []).append((bytes(key).decode(), record))
    return found


@pytest.fixture(scope="module")
def clicks(kafka: Config, programs: Programs) -> Iterator[str]:
    """Start an endpoint that waits a second for Kafka; return its address."""
    programs.start(CLICKS)
    yield where(programs.config)
    programs.stop("clicks")


def post(url: str, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.post(f"{url}/v1/events", content=content, headers=headers, timeout=30)


def test_what_is_accepted_is_in_kafka_under_its_customer(clicks: str, kafka: Config) -> None:
    begun = event("c-1", event_type="APPLICATION_BEGUN", application_id="a", product="LOAN")
    batch = [event(f"c-{number % 7}", attributes={"näme": "wérde"}) for number in range(100)]
    assert post(clicks, begun).status_code == 202
    answer = post(clicks, batch)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 100})
    found = kept(kafka)
    for sent in (begun, *batch):
        [(key, record)] = found[sent["event_id"]]
        assert key == sent["customer_id"]
        assert {name: value for name, value in record.items() if value is not None} == sent


def test_an_event_sent_again_has_the_same_key_and_id(clicks: str, kafka: Config) -> None:
    sent = event()
    assert [post(clicks, sent).status_code for _ in range(2)] == [202, 202]
    first, second = kept(kafka)[sent["event_id"]]
    assert first == second


def test_of_a_batch_with_a_wrong_event_nothing_is_written(clicks: str, kafka: Config) -> None:
    good = event()
    answer = post(clicks, [good, event(product="loan")])
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["pointer"] == "#/1/product"
    assert good["event_id"] not in kept(kafka)


def test_a_body_that_is_too_long_is_refused_without_reading_it(clicks: str, kafka: Config) -> None:
    assert kafka.clicks is not None
    assert post(clicks, b" " * (kafka.clicks.largest_body + 1)).status_code == 413
    # Said to be endless, and sent a little at a time.
    host, port = clicks.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n"
            + b" " * (kafka.clicks.largest_body + 1)
        )
        assert b" 413 " in connection.recv(100)


def test_the_tool_sends_an_example(clicks: str, programs: Programs, kafka: Config) -> None:
    events = example("tool-1")
    assert send(programs.config, events) == 2
    assert kept(kafka).keys() >= {each["event_id"] for each in events}
    with pytest.raises(ClicksError, match="customer_id"):
        send(programs.config, [event("")])


def test_health_and_numbers(clicks: str, kafka: Config) -> None:
    assert httpx2.get(f"{clicks}/healthz").status_code == 200
    assert httpx2.get(f"{metrics(kafka)}/readyz").status_code == 200
    before = accepted(kafka)
    assert post(clicks, [event(), event()]).status_code == 202
    assert accepted(kafka) == before + 2


def accepted(config: Config) -> float:
    lines = httpx2.get(f"{metrics(config)}/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith("account_alerts_clicks_accepted_events_total ")]
    return float(line.split()[1])


def test_without_kafka_nothing_is_accepted_and_nothing_accepted_is_lost(
    clicks: str, programs: Programs, kafka: Config
) -> None:
    """Senders that send again as they are told lose nothing; who is told 202 never has to."""
    stop, answers, endpoint = threading.Event(), [], programs.processes("clicks")

    def sender() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        while not stop.is_set() and len(sent) < 2_000:
            sent.append(event(f"away-{len(sent) % 5}"))
            while (answer := post(clicks, sent[-1])).status_code != 202:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) >= 1
                answers.append(answer)
                stop.wait(0.1)
                time.sleep(0.05)  # Less than it was told, to be quick.
        return sent

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(sender) for _ in range(3)]
        before = accepted(kafka)
        wait_for("events", lambda: accepted(kafka) > before + 5, 30, "")
        programs.stop("kafka")
        wait_for("a refusal", lambda: len(answers) > 0, 30, "")
        assert httpx2.get(f"{metrics(kafka)}/readyz", timeout=10).status_code == 503
        assert httpx2.get(f"{clicks}/healthz").status_code == 200
        programs.start(KAFKA)
        before = accepted(kafka)
        wait_for("events again", lambda: accepted(kafka) > before + 5, 60, "")
        stop.set()
        sent = [each for future in running for each in future.result()]
    assert kept(kafka).keys() >= {each["event_id"] for each in sent}
    assert programs.processes("clicks") == endpoint


def test_an_endpoint_that_is_killed_loses_nothing_it_accepted(
    clicks: str, programs: Programs, kafka: Config
) -> None:
    known, killed = [], threading.Event()

    def sender() -> None:
        while not killed.is_set():
            batch = [event("killed") for _ in range(20)]
            try:
                if post(clicks, batch).status_code == 202:
                    known.extend(batch)
            except httpx2.HTTPError:
                return

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(sender) for _ in range(4)]
        wait_for("events", lambda: len(known) > 200, 30, "")
        programs.kill("clicks", lambda process: "ingest.clicks" in process.cmdline())
        wait_for("the connections to end", lambda: all(each.done() for each in running), 60, "")
        killed.set()
    programs.wait(CLICKS)
    assert kept(kafka).keys() >= {each["event_id"] for each in known}
    assert post(clicks, event()).status_code == 202


@dataclass
class Own:
    """An endpoint of one test, with its own configuration."""

    config: Config
    url: str
    process: Callable[[], psutil.Process]


@contextmanager
def another(programs: Programs, folder: Any, **clicks: Any) -> Iterator[Own]:
    with socket.socket() as free, socket.socket() as other:
        free.bind(("localhost", 0))
        other.bind(("localhost", 0))
        ports = {"port": free.getsockname()[1], "metrics_port": other.getsockname()[1]}
    config = programs.config.override({"clicks": {**clicks, **ports}})
    own = Programs(config, folder)
    own.start(CLICKS)
    try:
        [process] = [each for each in own.processes("clicks") if "ingest.clicks" in each.cmdline()]
        yield Own(config, where(config), lambda: process)
    finally:
        own.stop_all()


def test_a_token_lets_in_the_events_of_its_customer(
    kafka: Config, programs: Programs, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s" * 32
    monkeypatch.setenv("ALERTS_CLICKS__SECRET", secret)
    with another(
        programs, tmp_path, authentication="token", origins=[ORIGIN], acknowledged_within="2s"
    ) as own:
        config = own.config.override({"clicks": {"secret": secret}})
        bearer = f"Bearer {token(config, 'me', 60)}"
        assert post(own.url, event("me"), Authorization=bearer).status_code == 202
        assert post(own.url, [event("me"), event("you")], Authorization=bearer).status_code == 403
        assert post(own.url, event("me"), Authorization=bearer + "x").status_code == 401
        assert post(own.url, event("me")).status_code == 401
        every = f"Bearer {token(config, None, 60)}"
        assert post(own.url, [event("me"), event("you")], Authorization=every).status_code == 202

        allowed = post(own.url, event("me"), Authorization=bearer, Origin=ORIGIN)
        assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
        other = post(own.url, event("me"), Authorization=bearer, Origin="https://evil.example")
        assert "Access-Control-Allow-Origin" not in other.headers

        # Told to stop in the middle of a request, it answers before it goes.
        host, port = own.url.removeprefix("http://").split(":")
        body = json.dumps(event("me")).encode()
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\n"
            head += f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode())
            assert b" 100 " in connection.recv(100), "it has begun with the request"
            connection.sendall(body[:10])
            old = own.process()
            old.send_signal(signal.SIGTERM)
            connection.sendall(body[10:])
            assert b" 202 " in connection.recv(100)
        psutil.wait_procs([old], timeout=20)
        assert not old.is_running()
