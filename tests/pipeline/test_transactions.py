"""What an aborted transaction wrote was never written; what a committed one wrote counts like any record."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from confluent_kafka import KafkaError, Message, Producer

from account_alerts.kafka.clients import to_bytes
from tests.builders import authorization, entry, setting, settings
from tests.pipeline.scenario import Scenario
from tests.reference.binary import encode
from tests.reference.model import KafkaRecord

Written = Iterable[tuple[str, str, bytes | None]]
"""Topic, key and value of each record."""


@dataclass
class _Transaction:
    """An open transaction whose records Kafka has."""

    scenario: Scenario
    producer: Producer
    records: list[KafkaRecord] = field(default_factory=list)

    def commit(self) -> None:
        """End it; its records are the scenario's from now on."""
        self.producer.commit_transaction(60)
        self.scenario.records.extend(self.records)


@contextmanager
def _transaction(scenario: Scenario, records: Written) -> Iterator[_Transaction]:
    """Write records in a transaction that is still open."""
    properties = {"transactional.id": scenario.id("transaction"), "partitioner": "murmur2_random"}
    open_one = _Transaction(scenario, Producer(scenario.pipeline.config.kafka.librdkafka() | properties))
    producer = open_one.producer
    producer.init_transactions(60)
    producer.begin_transaction()
    for topic, key, value in records:

        def delivered(error: KafkaError | None, message: Message, value: bytes | None = value) -> None:
            assert error is None, error
            place = message.topic() or "", message.partition() or 0, message.offset() or 0
            open_one.records.append(
                KafkaRecord(*place, message.timestamp()[1], to_bytes(message.key()), value)
            )

        producer.produce(topic, value, key, on_delivery=delivered)
    assert producer.flush(60) == 0
    yield open_one


@pytest.mark.parametrize("others", [False, True], ids=["a customer less", "a customer more"])
def test_what_was_aborted_was_never_written(scenario: Scenario, others: bool) -> None:
    topics = scenario.pipeline.topics
    customer, account, other = scenario.id("c"), scenario.id("a"), scenario.id("other")
    scenario.authorize(account, customer)
    scenario.write_settings(settings(customer, setting("s", account)))
    scenario.write_settings(settings(other, setting("s", account)))
    scenario.await_effect()
    # Changes that would tell the customer nothing any more, or others what is not theirs.
    access = encode("AccountAuthorization", authorization(account, customer, other)) if others else None
    changed = encode("AlertSettings", settings(customer, setting("s", account), setting("s2", account)))
    booking = encode("AccountEntry", entry(scenario.id("never"), account))
    records = [
        (topics.authorizations, account, access),
        (topics.settings, customer, changed if others else None),
        (topics.entries, account, booking),
        (topics.entries, account, b"broken"),
    ]
    with _transaction(scenario, records) as written:
        written.producer.abort_transaction(60)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("after"), account))
    assert len(scenario.verify().certain) == 1


def test_what_was_committed_counts(scenario: Scenario) -> None:
    topics = scenario.pipeline.topics
    customer, account = scenario.id("c"), scenario.id("a")
    scenario.authorize(account, customer)
    asked = settings(customer, setting("s", account))
    with _transaction(scenario, [(topics.settings, customer, encode("AlertSettings", asked))]) as written:
        written.commit()
    scenario.await_effect()
    booked = encode("AccountEntry", entry(scenario.id("e"), account))
    with _transaction(scenario, [(topics.entries, account, booked)]) as written:
        written.commit()
    assert len(scenario.verify().certain) == 1
