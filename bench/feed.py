"""Writing many records to Kafka, and reading back when they were written."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from account_alerts.config import Config
from account_alerts.kafka.clients import admin, consumer, producer
from bench import workload
from bench.workload import Pair
from operations.waiting import print_progress

_BLOCK = 50_000
_QUEUE = 200_000
_SLOWEST_FLUSH = 120
Place = tuple[str, int]
"""A partition: topic and number."""
Ends = dict[Place, int]


def bulk_producer(config: Config) -> Producer:
    """Return a producer for bulk: large batches, as a bridge that catches up would send."""
    return producer(
        config,
        **{
            "linger.ms": 20,
            "batch.size": 1_000_000,
            "compression.type": "lz4",
            "queue.buffering.max.messages": _QUEUE,
            "queue.buffering.max.kbytes": 1_000_000,
        },
    )


def write(client: Producer, topic: str, pairs: list[Pair]) -> None:
    """Queue records, waiting for room where the queue is full."""
    rest: list[dict[str, Any]] = [{"key": key, "value": value} for key, value in pairs]
    while rest:
        # Room for all of it first: those that do not fit would have to be picked out and sent again in order.
        while len(client) > _QUEUE - len(rest):
            client.poll(0.05)
        client.produce_batch(topic, rest)
        failed = [message for message in rest if "_error" in message]
        rest = [{key: message[key] for key in message if key != "_error"} for message in failed]


def flush(client: Producer) -> None:
    """Wait until Kafka has everything that was queued."""
    left = client.flush(_SLOWEST_FLUSH)
    if left:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{left} records were not written"))


def write_bookings(config: Config, first: int, count: int, accounts: int, share: float) -> int:
    """Write bookings as fast as can be; returns how many alerts they raise."""
    started = time.monotonic()
    client, alerts = bulk_producer(config), 0
    topic = config.topics.account_entries.name
    for block in workload.bookings(first, count, accounts, share, _BLOCK):
        write(client, topic, block.pairs)
        alerts += block.alerts
    flush(client)
    print_progress(f"{count} bookings written in {time.monotonic() - started:.1f} s")
    return alerts


def write_accounts(config: Config, accounts: int, counting: bool = False) -> None:
    """Write who may see each account, and four settings of each of them; some count, too, with `counting`."""
    client, topics = bulk_producer(config), config.topics
    for numbers in _blocks(accounts):
        write(client, topics.account_authorizations.name, workload.authorizations(numbers))
        write(client, topics.alert_settings.name, workload.settings(numbers, counting))
    flush(client)


def _blocks(accounts: int) -> Iterable[Any]:
    for start in range(0, accounts, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, accounts), dtype=np.int64)


def outbound(config: Config) -> list[str]:
    """Return the topics on which alerts come."""
    topics = config.topics
    return [topics.outbound_email.name, topics.outbound_sms.name, topics.outbound_push.name]


class Ender:
    """Asks Kafka for the ends of topics."""

    def __init__(self, config: Config, topics: list[str]) -> None:
        self._client: AdminClient = admin(config)
        known = self._client.list_topics(timeout=10).topics
        self._wanted = [TopicPartition(name, number) for name in topics for number in known[name].partitions]

    def ends(self) -> Ends:
        """Return the end offset of each partition."""
        latest = {part: OffsetSpec.latest() for part in self._wanted}  # type: ignore[no-untyped-call]
        found = self._client.list_offsets(latest, request_timeout=10).items()
        return {(part.topic, part.partition): future.result().offset for part, future in found}

    def total(self) -> int:
        """Return the sum of all end offsets."""
        return sum(self.ends().values())


def read_between(config: Config, start: Ends, end: Ends) -> Iterable[Message]:
    """Yield the records of each partition from one offset to before another."""
    client: Consumer = consumer(config, **{"enable.partition.eof": True})
    try:
        missing = {place: last for place, last in end.items() if last > start.get(place, 0)}
        client.assign([TopicPartition(*place, start.get(place, 0)) for place in missing])
        while missing:
            for message in client.consume(10_000, 0.5):
                place = (str(message.topic()), int(message.partition() or 0))
                last = missing.get(place)
                error = message.error()
                if error is not None:
                    # At the end of a partition: the offset before it may be no record.
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    missing.pop(place, None)
                elif last is not None:
                    if int(message.offset() or 0) < last:
                        yield message
                    if int(message.offset() or 0) >= last - 1:
                        del missing[place]
    finally:
        client.close()
