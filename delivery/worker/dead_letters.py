"""Dead letters of the senders: records that are no alerts, and alerts that no gateway takes."""

import asyncio
import logging
from collections.abc import Sequence

from confluent_kafka import KafkaError, Message, Producer

from account_alerts.config import Config
from account_alerts.kafka.clients import producer, send
from account_alerts.kafka.dead_letters import dead_letter
from delivery.alert import DeadLetter

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_TIMEOUT_MS, _FLUSH_SECONDS = 30_000, 35


class DeadLetterProducer:
    """Writes to `dead-letters` with the headers of the contract."""

    def __init__(self, config: Config) -> None:
        """Connect with the first dead letter."""
        self._config = config
        self._topic = config.topics.dead_letters.name
        self._lock = asyncio.Lock()

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; returns when Kafka has them all, however long that takes."""
        if not letters:
            return
        async with self._lock:
            while not await asyncio.to_thread(self._to_dlq, letters):
                _log.error("%d dead letters could not be written: trying again", len(letters))
                await asyncio.sleep(_RETRY_SECONDS)

    def _to_dlq(self, letters: Sequence[DeadLetter]) -> bool:
        client: Producer = producer(self._config, **{"message.timeout.ms": _TIMEOUT_MS})
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        for letter in letters:
            source = letter.source
            place = source.topic, source.partition, source.offset
            kept = dead_letter(source.key, source.value, *place, letter.reason)
            send(client, self._topic, kept.key, kept.value, delivered, kept.headers)
        return client.flush(_FLUSH_SECONDS) == 0 and not failed
