"""The bridge when the broker, Kafka or itself is stopped."""

import json

import pytest

from account_alerts.model.limits import DEAD_LETTER_RECORD
from tests.builders import entry
from tests.unit.ingest.bridge.harness import WINDOW, Harness, Steps, message, states


def test_after_a_lost_connection_nothing_of_it_is_settled(harness: Harness) -> None:
    """The broker delivers it again, and Kafka's answer to the first delivery settles only the window."""

    def scenario() -> Steps:
        old = harness.queue.put(message("a"), message("b"))
        yield
        harness.queue.lose_connection()
        yield
        assert harness.queue.connections == 1
        harness.clock.advance(0.1)
        yield
        yield
        assert harness.queue.connections == 2
        new = harness.queue.put(message("a"), message("b"))
        yield
        # Two of the window's three places are still taken.
        assert len(harness.queue.deliveries) == 3
        harness.kafka.acknowledge(2)
        yield
        yield
        assert states(old) == [None, None]
        assert len(harness.queue.deliveries) == 4
        harness.kafka.acknowledge()
        harness.clock.advance(1)
        yield
        assert states(new) == ["accepted", "accepted"]
        harness.bridge.stop()

    harness.run(scenario)


def test_reconnects_back_off_until_a_message_arrives(harness: Harness) -> None:
    def scenario() -> Steps:
        for _ in range(8):
            harness.queue.lose_connection()
            harness.clock.advance(5)
            yield
            yield
        harness.queue.put(message("a"))
        yield
        harness.queue.lose_connection()
        harness.bridge.stop()
        yield

    harness.run(scenario)
    longest = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 0.1]
    assert len(harness.queue.reconnect_delays) == len(longest)
    for delay, most in zip(harness.queue.reconnect_delays, longest, strict=True):
        assert most / 2 <= delay <= most


def test_stop_settles_what_is_in_flight_and_receives_nothing_more(harness: Harness) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(*(message(f"m{number}") for number in range(4)))
        yield
        harness.bridge.stop()
        yield
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["accepted", "accepted", "accepted", None]

    harness.run(scenario)
    assert len(harness.queue.deliveries) == WINDOW


def test_stop_waits_only_so_long_for_kafka(harness: Harness) -> None:
    def scenario() -> Steps:
        harness.queue.put(message("a"))
        yield
        harness.bridge.stop()
        yield
        harness.clock.advance(8.1)
        yield
        pytest.fail("the bridge goes on")

    harness.run(scenario)
    assert states(harness.queue.deliveries) == [None]


def test_stop_does_not_wait_for_a_queue_that_is_away(harness: Harness) -> None:
    def scenario() -> Steps:
        harness.queue.put(message("a"))
        yield
        harness.queue.lose_connection()
        harness.bridge.stop()
        yield
        pytest.fail("the bridge goes on")

    harness.run(scenario)


def test_a_bridge_that_is_stopped_before_kafka_answers_never_connects(harness: Harness) -> None:
    harness.kafka.reachable = False
    harness.bridge.stop()

    def scenario() -> Steps:
        pytest.fail("the bridge begins")
        yield

    harness.run(scenario)
    assert harness.queue.connections == 0


def test_the_bridge_waits_for_its_topics(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def create_topics_after_a_while(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            harness.kafka.topics = [harness.entries, harness.dead_letters]

    harness.kafka.topics = []
    monkeypatch.setattr("ingest.bridge.kafka_writer.time.sleep", create_topics_after_a_while)

    def scenario() -> Steps:
        harness.bridge.stop()
        yield

    harness.run(scenario)
    assert len(waits) == 3
    assert harness.queue.connections == 1


def test_metrics_count_what_happened(harness: Harness) -> None:
    half_broken = json.dumps([entry("good"), entry("bad", credit_debit="NEITHER")]).encode()

    def scenario() -> Steps:
        assert (harness.metric("connected"), harness.bridge.is_ready) == (1, True)
        harness.queue.put(half_broken, b"x" * (DEAD_LETTER_RECORD + 1))
        yield
        harness.clock.advance(0.3)
        yield
        assert harness.metric("unsettled_messages") == 2
        harness.kafka.acknowledge()
        yield
        assert harness.metric("unsettled_messages") == 0
        harness.queue.lose_connection()
        assert (harness.metric("connected"), harness.bridge.is_ready) == (0, False)
        harness.bridge.stop()

    harness.run(scenario)
    assert harness.metric("messages_total", outcome="accepted") == 1
    assert harness.metric("messages_total", outcome="rejected") == 1
    assert harness.metric("bookings_total") == 1
    assert harness.metric("dead_letters_total") == 2
    assert harness.metric("settle_duration_seconds_count") == 2
    assert harness.metric("settle_duration_seconds_sum") == pytest.approx(0.6)
