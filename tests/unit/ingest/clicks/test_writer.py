"""The clicks writer with a Kafka in memory: an event is accepted when Kafka has it."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError

from account_alerts.config import Config, load
from account_alerts.records.codec import Codec, Record
from ingest.clicks.writer import BrokerUnavailableError, Writer
from tests.unit.ingest.fakes import FakeProducer


def event(number: int, customer: str = "2") -> Record:
    """Make an event as `parse_events` gives it."""
    texts = ("application_id", "session_id", "product", "page", "attributes")
    return {
        "event_id": f"e{number}",
        "customer_id": customer,
        "event_type": "PAGE_VIEWED",
        "occurred_at": number,
        **dict.fromkeys(texts),
    }


@pytest.fixture
def config() -> Config:
    return load()


@pytest.fixture
def kafka(config: Config) -> FakeProducer:
    return FakeProducer([config.topics.click_events.name])


@pytest.fixture
def writer(config: Config, kafka: FakeProducer) -> Iterator[Writer]:
    made = Writer(config, kafka)  # type: ignore[arg-type]
    yield made
    made.close()


def write(writer: Writer, events: list[Record], meanwhile: Callable[[asyncio.Task[None]], None]) -> None:
    """Write events while another thread does something; returns, or raises, as `write` does."""

    async def both() -> None:
        writing = asyncio.create_task(writer.write(events))
        await asyncio.to_thread(meanwhile, writing)
        await asyncio.wait_for(writing, 30)

    asyncio.run(both())


def test_events_are_accepted_after_kafkas_last_acknowledgement(writer: Writer, kafka: FakeProducer) -> None:
    events = [event(1, "a"), event(2, "b")]

    def meanwhile(writing: asyncio.Task[None]) -> None:
        kafka.wait_until_written(2)
        kafka.acknowledge(1)
        kafka.flush()
        assert not writing.done()
        kafka.acknowledge(1)

    write(writer, events, meanwhile)
    assert [record.key for record in kafka.written] == [b"a", b"b"]
    assert [Codec().decode("ClickEvent", record.value or b"") for record in kafka.written] == events


def test_one_refused_event_fails_the_request_after_all_answers(writer: Writer, kafka: FakeProducer) -> None:
    def meanwhile(writing: asyncio.Task[None]) -> None:
        kafka.wait_until_written(2)
        kafka.errors = dict.fromkeys(kafka.topics, KafkaError._MSG_TIMED_OUT)
        kafka.acknowledge(1)
        kafka.flush()
        assert not writing.done()
        kafka.errors = {}
        kafka.acknowledge(1)

    with pytest.raises(BrokerUnavailableError, match="timed out"):
        write(writer, [event(1), event(2)], meanwhile)


def test_a_full_queue_fails_the_request_and_writes_no_further(config: Config, kafka: FakeProducer) -> None:
    kafka.capacity = 2
    writer = Writer(config, kafka)  # type: ignore[arg-type]

    def meanwhile(writing: asyncio.Task[None]) -> None:
        kafka.wait_until_written(2)
        # What was written before is waited for: its answer must not come after the request's end.
        assert not writing.done()
        kafka.acknowledge()

    with pytest.raises(BrokerUnavailableError, match="full"):
        write(writer, [event(number) for number in range(5)], meanwhile)
    assert len(kafka.written) == 2
    writer.close()


def test_requests_beside_each_other_hear_of_their_own_events(writer: Writer, kafka: FakeProducer) -> None:
    async def both() -> None:
        first = asyncio.create_task(writer.write([event(1)]))
        await asyncio.to_thread(kafka.wait_until_written, 1)
        second = asyncio.create_task(writer.write([event(2)]))
        await asyncio.to_thread(kafka.wait_until_written, 2)
        kafka.acknowledge(1)
        await asyncio.wait_for(first, 30)
        assert not second.done()
        kafka.acknowledge(1)
        await asyncio.wait_for(second, 30)

    asyncio.run(both())


def test_it_is_reachable_while_kafka_answers(writer: Writer, kafka: FakeProducer) -> None:
    assert writer.is_reachable()
    kafka.reachable = False
    assert not writer.is_reachable()
