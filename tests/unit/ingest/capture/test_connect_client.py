"""The client of Kafka Connect, and the watch over the connector, with a Kafka Connect in memory."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from account_alerts.config import Config, load
from account_alerts.kafka.clients import KafkaUnreachableError
from ingest.capture import connect_client, debezium
from ingest.capture.connect_client import ConnectClient, ConnectError, ConnectorStatus
from ingest.capture.connector_watch import watch_connector
from ingest.capture.metrics import Metrics
from tests.clock import FakeClock
from tests.unit.ingest.capture.kafka_connect import FakeConnect


class Harness:
    """A client whose Kafka Connect is in memory, and whose topics are only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = load()
        self.name = self.config.require("capture").name
        self.connect, self.clock = FakeConnect(), FakeClock()
        self.topics: list[str] = []
        self.kafka_is_up = True
        self.client = ConnectClient(self.config, self.connect.transport, self.clock, self.clock.advance)
        monkeypatch.setattr(connect_client, "create_missing", self._create)

    def _create(self, config: Config, wanted: Sequence[Any]) -> list[str]:
        if not self.kafka_is_up:
            raise KafkaUnreachableError("Kafka does not answer")
        self.topics = [topic.topic for topic in wanted]
        return self.topics

    def watch(self, looks: int, each: Any = lambda number: None) -> float | None:
        """Let the watch look so many times; returns whether it shows the connector as running."""

        class Stopped(threading.Event):
            number = 0

            def wait(self, timeout: float | None = None) -> bool:
                each(self.number)
                self.number += 1
                return self.number > looks

        registry = CollectorRegistry()
        watch_connector(self.client, 5, Metrics(registry), Stopped())
        return registry.get_sample_value("account_alerts_publisher_connector_running")


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return Harness(monkeypatch)


def test_the_connector_is_registered_once_and_with_its_topics(harness: Harness) -> None:
    assert harness.client.register()
    assert harness.connect.config == {**debezium.connector_settings(harness.config), "name": harness.name}
    assert harness.topics == [f"{harness.name}.{table}" for table in debezium.tables(harness.config)]
    assert not harness.client.register()
    assert [request for request in harness.connect.requests if request.startswith("PUT")] == [
        f"PUT /connectors/{harness.name}/config"
    ]


def test_a_changed_configuration_is_registered_again(harness: Harness) -> None:
    harness.client.register()
    assert harness.connect.config is not None
    harness.connect.config["tasks.max"] = "2"
    assert harness.client.register()
    assert harness.connect.config["tasks.max"] == "1"


def test_no_connector_without_its_topics(harness: Harness) -> None:
    harness.kafka_is_up = False
    with pytest.raises(KafkaUnreachableError):
        harness.client.register()
    assert not harness.connect.requests


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["RUNNING", "RUNNING"], ConnectorStatus(is_registered=True, is_running=True)),
        (["RUNNING"], ConnectorStatus(is_registered=True)),
        (["RUNNING", "UNASSIGNED"], ConnectorStatus(is_registered=True)),
        (
            ["RUNNING", "FAILED"],
            ConnectorStatus(
                is_registered=True, has_failed=True, reason="java.lang.RuntimeException: no such slot"
            ),
        ),
    ],
)
def test_the_status_is_that_of_connector_and_task(
    harness: Harness, states: list[str], expected: ConnectorStatus
) -> None:
    harness.client.register()
    harness.connect.states = states
    assert harness.client.status() == expected


def test_an_unknown_connector_has_a_status_too(harness: Harness) -> None:
    assert harness.client.status() == ConnectorStatus(is_registered=False)


def test_a_failure_without_a_trace_is_one(harness: Harness) -> None:
    harness.client.register()
    harness.connect.states, harness.connect.trace = ["FAILED"], ""
    status = harness.client.status()
    assert (status.has_failed, status.reason) == (True, "no reason given")


def test_a_conflict_of_the_workers_passes(harness: Harness) -> None:
    harness.connect.conflicts = 3
    assert harness.client.is_ready()
    assert harness.clock.monotonic() == pytest.approx(0.6)


def test_a_conflict_that_stays_is_an_error(harness: Harness) -> None:
    harness.connect.conflicts = 1_000
    with pytest.raises(ConnectError, match="409"):
        harness.client.restart()
    assert 10 < harness.clock.monotonic() < 10.5


def test_an_unreachable_kafka_connect_is_named(harness: Harness) -> None:
    harness.connect.is_up = False
    assert not harness.client.is_ready()
    with pytest.raises(ConnectError, match="alerts status"):
        harness.client.status()


def test_what_cannot_be_restarted_is_an_error(harness: Harness) -> None:
    with pytest.raises(ConnectError, match="404"):
        harness.client.restart()


def test_running_is_waited_for(harness: Harness) -> None:
    assert not harness.client.wait_until_running(5)
    assert harness.clock.monotonic() == pytest.approx(5, abs=0.2)
    harness.client.register()
    assert harness.client.wait_until_running(5)


def test_the_watch_registers_once_while_the_connector_is_there(harness: Harness) -> None:
    assert harness.watch(3) == 1
    assert sum(request.endswith("/config") for request in harness.connect.requests) == 2  # GET, PUT


def test_the_watch_registers_a_lost_connector_again(harness: Harness) -> None:
    def lose(number: int) -> None:
        if number == 1:
            harness.connect.config = None

    assert harness.watch(3, lose) == 1
    assert harness.connect.config is not None


def test_the_watch_restarts_a_failed_connector(harness: Harness) -> None:
    harness.connect.states = ["RUNNING", "FAILED"]
    assert harness.watch(1) == 0
    assert harness.connect.requests[-1] == (
        f"POST /connectors/{harness.name}/restart?includeTasks=true&onlyFailed=true"
    )


@pytest.mark.parametrize("what", ["connect", "kafka"])
def test_the_watch_goes_on_when_something_is_unreachable(harness: Harness, what: str) -> None:
    def toggle(number: int) -> None:
        harness.connect.is_up = what != "connect" or number > 1
        harness.kafka_is_up = what != "kafka" or number > 1

    assert harness.watch(1, toggle) == 0
    assert harness.watch(3, toggle) == 1
