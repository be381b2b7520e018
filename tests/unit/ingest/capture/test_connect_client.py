"""The client of Kafka Connect, and the watch over the connector, with a Kafka Connect in memory."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from prometheus_client import CollectorRegistry

from account_alerts.config import Config, load
from account_alerts.kafka.clients import KafkaUnreachableError
from ingest.capture import connect_client, debezium
from ingest.capture.connect_client import ConnectClient, ConnectError, ConnectorStatus
from ingest.capture.connector_watch import MISSED_BEATS, watch_connector
from ingest.capture.heartbeats import Heartbeats
from ingest.capture.metrics import Metrics
from tests.clock import FakeClock
from tests.unit.ingest.capture.kafka_connect import FakeBeats, FakeConnect


class Harness:
    """A client whose Kafka Connect is in memory, and whose topics are only noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config = load()
        self.name = self.config.require("capture").name
        self.connect, self.clock = FakeConnect(), FakeClock()
        self.beats = FakeBeats(self.clock)
        self.registry = CollectorRegistry()
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

        self.registry = CollectorRegistry()
        heartbeats = Heartbeats(self.beats, self.clock)
        longest = MISSED_BEATS * self.config.require("capture").heartbeat / 1000
        watch_connector(self.client, heartbeats, 5, longest, Metrics(self.registry), Stopped())
        return self.metric("connector_running")

    def metric(self, name: str) -> float | None:
        """Return the value of one of the publisher's metrics."""
        return self.registry.get_sample_value(f"account_alerts_publisher_{name}")


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return Harness(monkeypatch)


def test_the_connector_is_registered_once_and_with_its_topics(harness: Harness) -> None:
    assert harness.client.register()
    assert harness.connect.config == {**debezium.connector_settings(harness.config), "name": harness.name}
    tables = [debezium.HEARTBEAT, *debezium.tables(harness.config)]
    assert harness.topics == [f"{harness.name}.{table}" for table in tables]
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
    assert harness.metric("connector_restarts_total") == 1


@pytest.mark.parametrize("what", ["connect", "kafka"])
def test_the_watch_goes_on_when_something_is_unreachable(harness: Harness, what: str) -> None:
    def toggle(number: int) -> None:
        harness.connect.is_up = what != "connect" or number > 1
        harness.kafka_is_up = what != "kafka" or number > 1

    assert harness.watch(1, toggle) == 0
    assert harness.watch(3, toggle) == 1


def test_a_connector_that_says_it_runs_but_gives_no_changes_does_not(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    def stand_still(number: int) -> None:
        if number == 0:
            harness.beats.beat()
        harness.clock.advance(16)

    assert harness.watch(1, stand_still) == 1
    assert harness.metric("heartbeat_age_seconds") == 16
    assert harness.watch(2, stand_still) == 0
    assert harness.metric("heartbeat_age_seconds") == 32
    assert "the last change is 32 s old" in caplog.text


def test_a_publisher_without_any_heartbeat_waits_as_long(harness: Harness) -> None:
    assert harness.watch(1, lambda _: harness.clock.advance(29)) == 1
    assert harness.watch(1, lambda _: harness.clock.advance(31)) == 0


def test_heartbeats_that_never_came_out_are_lost_changes(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    def skip(number: int) -> None:
        harness.beats.beat()
        if number == 1:
            harness.beats.number += 2  # Written while the publication was not there.

    assert harness.watch(3, skip) == 1
    assert harness.metric("lost_heartbeats") == 2
    assert caplog.text.count("changes of the bank's database were lost, 2 heartbeats") == 1


def test_a_snapshot_brings_what_was_lost(harness: Harness) -> None:
    def skip(number: int) -> None:
        harness.beats.number += 7
        harness.beats.beat(operation="r" if number == 2 else "u")

    assert harness.watch(2, skip) == 1
    assert harness.metric("lost_heartbeats") == 7
    assert harness.watch(3, skip) == 1
    assert harness.metric("lost_heartbeats") == 0


def test_a_database_that_was_restored_counts_from_before(harness: Harness) -> None:
    def restore(number: int) -> None:
        if number == 1:
            harness.beats.number -= 5
        harness.beats.beat()

    assert harness.watch(3, restore) == 1
    assert harness.metric("lost_heartbeats") == 0


def test_what_is_no_heartbeat_is_passed_over(harness: Harness) -> None:
    for value in (b"", b"[]", b"{}", b'{"beat_at": 1, "beats": 1}', None):
        harness.beats.put(value)
    harness.beats.beat()
    assert harness.watch(1) == 1
    assert harness.metric("heartbeat_age_seconds") == 0


def test_the_watch_goes_on_when_heartbeats_cannot_be_read(harness: Harness) -> None:
    harness.beats.error = KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert harness.watch(1) == 1
    assert harness.watch(2, lambda _: harness.clock.advance(20)) == 0
