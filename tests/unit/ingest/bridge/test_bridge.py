"""The bridge's loop with a broker and a Kafka in memory: when a message is settled, and as what."""

import json
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError

from account_alerts.config import Config
from account_alerts.model.limits import DEAD_LETTER_RECORD
from account_alerts.records.codec import codec
from ingest.bridge.kafka_writer import BridgeError
from tests.builders import entry
from tests.unit.ingest.bridge.harness import WINDOW, Harness, Steps, message, states
from tests.unit.ingest.bridge.queue import FakeDelivery


def test_a_message_is_settled_only_after_kafkas_acknowledgement(harness: Harness, config: Config) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(message("a"))
        yield
        yield
        [record] = harness.kafka.to(harness.entries)
        assert record.key == b"a1"
        assert codec(config).decode("AccountEntry", record.value or b"") == entry("a")
        assert states(deliveries) == [None]
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["accepted"]
        harness.bridge.stop()

    harness.run(scenario)


def test_a_message_of_several_bookings_waits_for_all_of_them(harness: Harness) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(message("a", "b"))
        yield
        harness.kafka.acknowledge(1)
        yield
        assert states(deliveries) == [None]
        harness.kafka.acknowledge(1)
        yield
        assert states(deliveries) == ["accepted"]
        harness.bridge.stop()

    harness.run(scenario)


def test_messages_are_settled_in_the_order_of_kafkas_answers(harness: Harness) -> None:
    def scenario() -> Steps:
        first, second = harness.queue.put(message("a"), message("b"))
        yield
        harness.kafka.acknowledge(1)
        yield
        assert states([first, second]) == ["accepted", None]
        harness.kafka.acknowledge()
        harness.clock.advance(1)
        yield
        assert states([first, second]) == ["accepted", "accepted"]
        harness.bridge.stop()

    harness.run(scenario)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"neither of the two", "neither XML nor JSON"),
        (b"", "an empty message"),
        (b"[" + b" " * 1_000 + b"]", "longer than 1000 bytes"),
        ('<?xml version="1.0"?><a/>', "not a camt.054: no BkToCstmrDbtCdtNtfctn"),
    ],
)
def test_a_dead_letter_is_acknowledged_before_the_message_is_settled(
    harness: Harness, config: Config, body: bytes | str, reason: str
) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(body, delivery_count=2)
        yield
        yield
        [letter] = harness.kafka.to(harness.dead_letters)
        assert letter.value == (body.encode() if isinstance(body, str) else body)
        assert letter.key is None
        assert config.bridge is not None
        assert dict(letter.headers) == {
            "source.topic": config.bridge.address.encode(),
            "source.partition": b"0",
            "source.offset": b"2",
            "reason": reason.encode(),
        }
        assert states(deliveries) == [None]
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["accepted"]
        harness.bridge.stop()

    harness.run(scenario)
    assert not harness.kafka.to(harness.entries)


def test_what_amqp_cannot_decode_or_is_no_text_is_a_dead_letter_as_it_came(harness: Harness) -> None:
    unreadable, number = b"\x00\x53\x77\xa1\x03\xff\xfe\xfd", b"\x00\x53\x77\x55\x07"

    def scenario() -> Steps:
        # Its header must not remain for the next message, which has none.
        harness.queue.put(message("a"), delivery_count=9)
        deliveries = harness.queue.put(FakeDelivery(number), FakeDelivery(unreadable))
        yield
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["accepted", "accepted"]
        harness.bridge.stop()

    harness.run(scenario)
    first, second = harness.kafka.to(harness.dead_letters)
    assert (first.value, second.value) == (number, unreadable)
    assert first.header("reason") == "neither bytes nor text"
    assert second.header("reason").startswith("not a readable AMQP message")
    assert [letter.header("source.offset") for letter in (first, second)] == ["0", "0"]


def _data(*parts: bytes) -> bytes:
    """Make a message of several data sections (AMQP 1.0 part 3, 3.2.6)."""
    return b"".join(b"\x00\x53\x75\xb0" + len(part).to_bytes(4, "big") + part for part in parts)


def test_a_message_of_several_data_sections_is_read_whole(harness: Harness) -> None:
    whole, broken = message("a"), b"neither of the two"

    def scenario() -> Steps:
        deliveries = harness.queue.put(
            FakeDelivery(_data(whole[:9], b"", whole[9:])), FakeDelivery(_data(broken[:4], broken[4:]))
        )
        yield
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["accepted", "accepted"]
        harness.bridge.stop()

    harness.run(scenario)
    assert [record.key for record in harness.kafka.to(harness.entries)] == [b"a1"]
    assert [letter.value for letter in harness.kafka.to(harness.dead_letters)] == [broken]


def test_data_sections_are_too_long_together(harness: Harness) -> None:
    parts = [b"[" + b" " * 600, b" " * 600 + b"]"]

    def scenario() -> Steps:
        harness.queue.put(FakeDelivery(_data(*parts)))
        yield
        harness.kafka.acknowledge()
        yield
        harness.bridge.stop()

    harness.run(scenario)
    [letter] = harness.kafka.to(harness.dead_letters)
    assert (letter.value, letter.header("reason")) == (b"".join(parts), "longer than 1000 bytes")


def test_data_beside_a_section_of_another_kind_is_a_dead_letter_with_all_bytes(harness: Harness) -> None:
    mixed = _data(message("a")) + b"\x00\x53\x77\xa1\x02{}"

    def scenario() -> Steps:
        harness.queue.put(FakeDelivery(mixed))
        yield
        harness.kafka.acknowledge()
        yield
        harness.bridge.stop()

    harness.run(scenario)
    assert not harness.kafka.to(harness.entries)
    assert [letter.value for letter in harness.kafka.to(harness.dead_letters)] == [mixed]


def test_good_bookings_of_a_half_broken_message_are_written_beside_the_dead_letter(harness: Harness) -> None:
    body = json.dumps([entry("good"), entry("bad", credit_debit="NEITHER")]).encode()

    def scenario() -> Steps:
        deliveries = harness.queue.put(body)
        yield
        harness.kafka.acknowledge(1)  # The booking.
        yield
        assert states(deliveries) == [None]
        harness.kafka.acknowledge(1)  # The dead letter.
        yield
        assert states(deliveries) == ["accepted"]
        harness.bridge.stop()

    harness.run(scenario)
    assert len(harness.kafka.to(harness.entries)) == 1
    [letter] = harness.kafka.to(harness.dead_letters)
    assert (letter.value, letter.header("reason")) == (body, "item 2: credit_debit is neither CRDT nor DBIT")


@pytest.mark.parametrize("body", [message("a"), b"neither of the two"])
def test_a_record_that_kafka_cannot_hold_is_rejected(harness: Harness, body: bytes) -> None:
    codes = dict.fromkeys((harness.entries, harness.dead_letters), KafkaError.MSG_SIZE_TOO_LARGE)

    def scenario() -> Steps:
        harness.kafka.errors = codes
        deliveries = harness.queue.put(body)
        yield
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["rejected"]
        harness.bridge.stop()

    harness.run(scenario)


def test_a_message_too_large_for_a_dead_letter_is_cut_and_rejected(harness: Harness) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(b"x" * (DEAD_LETTER_RECORD + 1))
        yield
        harness.kafka.acknowledge()
        yield
        assert states(deliveries) == ["rejected"]
        harness.bridge.stop()

    harness.run(scenario)
    (letter,) = harness.kafka.written
    assert letter.value == b"x" * DEAD_LETTER_RECORD
    assert dict(letter.headers)["record.size"] == str(DEAD_LETTER_RECORD + 1).encode()


@pytest.mark.parametrize("body", [message("a"), b"neither of the two"])
def test_a_write_that_kafka_refuses_leaves_the_message_on_the_queue(harness: Harness, body: bytes) -> None:
    codes = dict.fromkeys((harness.entries, harness.dead_letters), KafkaError.TOPIC_AUTHORIZATION_FAILED)

    def scenario() -> Steps:
        harness.queue.put(body)
        yield
        harness.kafka.errors = codes
        harness.kafka.acknowledge()
        yield
        pytest.fail("the bridge goes on")

    with pytest.raises(BridgeError, match="authorization"):
        harness.run(scenario)
    # Unsettled: the broker delivers it again.
    assert states(harness.queue.deliveries) == [None]


def test_no_more_messages_are_unsettled_than_the_window_allows(harness: Harness) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(*(message(f"m{number}") for number in range(5)))
        yield
        yield
        assert len(harness.queue.deliveries) == WINDOW
        harness.kafka.acknowledge(2)
        yield
        yield
        assert states(deliveries) == ["accepted", "accepted", None, None, None]
        assert len(harness.queue.deliveries) == 5
        harness.kafka.acknowledge()
        harness.clock.advance(1)
        yield
        assert states(deliveries) == ["accepted"] * 5
        harness.bridge.stop()

    harness.run(scenario)


def test_messages_wait_a_moment_to_be_settled_together(harness: Harness) -> None:
    def scenario() -> Steps:
        deliveries = harness.queue.put(message("a"), message("b"), message("c"))
        yield
        harness.kafka.acknowledge(1)
        yield  # The first of all waits for nothing.
        harness.kafka.acknowledge(1)
        yield
        assert states(deliveries) == ["accepted", None, None]
        harness.clock.advance(0.011)
        yield
        assert states(deliveries) == ["accepted", "accepted", None]
        harness.kafka.acknowledge(1)
        yield  # Nothing else is in flight that it could wait for.
        assert states(deliveries) == ["accepted"] * 3
        harness.bridge.stop()

    harness.run(scenario)


def test_an_aborted_delivery_is_settled_and_a_partial_one_waited_for(harness: Harness) -> None:
    aborted, partial = FakeDelivery(b"", aborted=True), FakeDelivery(b"", partial=True)

    def scenario() -> Steps:
        harness.queue.put(aborted, partial)
        yield
        yield
        assert (aborted.settled, partial.settled) == (True, False)
        harness.bridge.stop()

    harness.run(scenario)
    assert not harness.kafka.written


def test_a_full_producer_is_waited_for(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.kafka.capacity = 1
    serve: Callable[[float], int] = harness.kafka.poll

    def poll(timeout: float = 0) -> int:
        if timeout:
            harness.kafka.acknowledge(1)
        return serve(timeout)

    monkeypatch.setattr(harness.kafka, "poll", poll)

    def scenario() -> Steps:
        deliveries = harness.queue.put(message("a"), message("b"))
        yield
        assert len(harness.kafka.written) == 2
        harness.kafka.acknowledge()
        harness.clock.advance(1)
        yield
        assert states(deliveries) == ["accepted", "accepted"]
        harness.bridge.stop()

    harness.run(scenario)
