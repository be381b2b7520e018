"""Writes events to Kafka and reports when Kafka has acknowledged them."""

import asyncio
import threading

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from account_alerts.config import Config
from account_alerts.kafka.clients import producer
from account_alerts.kafka.lost_brokers import OnLost, watch
from account_alerts.model.errors import UnreachableError
from account_alerts.records.codec import Record, codec


class BrokerUnavailableError(UnreachableError):
    """Kafka did not acknowledge all events in time; they may be sent again, their ids stay the same."""


def connect(config: Config, within: int, on_lost: OnLost | None = None) -> Producer:
    """Make the endpoint's producer.

    Args:
        config: The environment.
        within: How long Kafka has to take a record, milliseconds.
        on_lost: Called when Kafka is never reached again.
    """
    options = {
        "linger.ms": 2,
        "delivery.timeout.ms": within,
        "compression.type": "lz4",
        "queue.buffering.max.messages": 20_000,
    }
    return producer(config, **options, **watch(config, on_lost))


class Writer:
    """A producer with a thread that serves Kafka's acknowledgements."""

    def __init__(self, config: Config, client: Producer) -> None:
        """Begin to listen."""
        self._topic = config.topics.click_events.name
        self._codec = codec(config)
        self._producer = client
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="kafka acknowledgements", daemon=True)
        self._thread.start()

    async def write(self, events: list[Record]) -> None:
        """Return when Kafka has acknowledged all of them.

        Raises:
            BrokerUnavailableError: Kafka has not, or not all; a record that failed will not come later.
        """
        values = await asyncio.to_thread(self._encode, events)
        loop = asyncio.get_running_loop()
        # All acknowledgements are awaited, also after an error: none may come after the request.
        outcome: asyncio.Future[KafkaError | None] = loop.create_future()
        open_count, failed = len(events), None

        def settle(error: KafkaError | None, count: int = 1) -> None:
            nonlocal open_count, failed
            open_count, failed = open_count - count, failed or error
            if not open_count and not outcome.done():
                outcome.set_result(failed)

        def answered(error: KafkaError | None, _: Message) -> None:
            loop.call_soon_threadsafe(settle, error)

        for number, (event, value) in enumerate(zip(events, values, strict=True)):
            try:
                self._producer.produce(
                    self._topic, value, event["customer_id"].encode(), on_delivery=answered
                )
            except (BufferError, KafkaException) as error:
                reason = (
                    error.args[0] if isinstance(error, KafkaException) else KafkaError(KafkaError._QUEUE_FULL)
                )
                settle(reason, len(events) - number)
                break
        problem = await outcome
        if problem is not None:
            raise BrokerUnavailableError(problem.str())

    def is_reachable(self) -> bool:
        """Tell whether Kafka answers within a second."""
        try:
            return bool(self._producer.list_topics(self._topic, timeout=1.0).brokers)
        except KafkaException:
            return False

    def close(self) -> None:
        """Wait for outstanding acknowledgements, and disconnect."""
        self._producer.flush(10)
        self._stopping.set()
        self._thread.join()

    def _encode(self, events: list[Record]) -> list[bytes]:
        return [self._codec.encode("ClickEvent", event, self._topic) for event in events]

    def _listen(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(0.1)
