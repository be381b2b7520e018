"""Dead letters of the senders: records that are no alerts, and alerts that no gateway takes."""

import asyncio
import logging
from collections.abc import Sequence

from confluent_kafka import KafkaError, Message

from account_alerts.config import Config
from account_alerts.kafka.clients import producer
from delivery.alert import Source

_log = logging.getLogger(__name__)


class Letters:
    """Writes to `dead-letters` with the headers of the contract."""

    def __init__(self, config: Config) -> None:
        """Connect with the first letter."""
        self._config = config
        self._topic = config.topics.dead_letters.name
        self._lock = asyncio.Lock()

    async def write(self, letters: Sequence[tuple[Source, str]]) -> None:
        """Write records with their reasons; returns when Kafka has them all, however long that takes."""
        if not letters:
            return
        async with self._lock:
            while not await asyncio.to_thread(self._try, letters):
                _log.error("%d dead letters could not be written: trying again", len(letters))
                await asyncio.sleep(1)

    def _try(self, letters: Sequence[tuple[Source, str]]) -> bool:
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        client = producer(self._config, **{"message.timeout.ms": 30_000})
        for source, reason in letters:
            client.produce(
                self._topic,
                source.value,
                source.key,
                headers={
                    "source.topic": source.topic.encode(),
                    "source.partition": str(source.partition).encode(),
                    "source.offset": str(source.offset).encode(),
                    "reason": reason.encode("utf-8", "replace"),
                },
                on_delivery=delivered,
            )
            client.poll(0)
        return client.flush(35) == 0 and not failed
