"""Dead letters of the senders: records that are no alerts, and alerts that no gateway takes."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, Message, Producer

from account_alerts.config import Config
from account_alerts.kafka.clients import producer, send
from account_alerts.kafka.dead_letters import dead_letter
from delivery.alert import DeadLetter

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_TIMEOUT_MS, _FLUSH_SECONDS = 30_000, 35


@dataclass
class _Waiting:
    letters: Sequence[DeadLetter]
    is_written: bool = False


class DeadLetterProducer:
    """Writes to `dead-letters` with the headers of the contract.

    It keeps its connection: making one takes half a second. Letters that come while others are written go
    together.
    """

    def __init__(self, config: Config) -> None:
        """Connect with the first dead letter."""
        self._config = config
        self._topic = config.topics.dead_letters.name
        self._lock = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        self._client: Producer | None = None

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Write dead letters; returns when Kafka has them all, however long that takes."""
        if not letters:
            return
        own = _Waiting(letters)
        self._waiting.append(own)
        async with self._lock:
            if not own.is_written:
                await self._write_waiting()

    async def _write_waiting(self) -> None:
        taken = list(self._waiting)
        letters = [letter for each in taken for letter in each.letters]
        while not await asyncio.to_thread(self._to_dlq, letters):
            _log.error("%d dead letters could not be written: trying again", len(letters))
            await asyncio.sleep(_RETRY_SECONDS)
        for each in taken:
            each.is_written = True
        del self._waiting[: len(taken)]

    def _to_dlq(self, letters: Sequence[DeadLetter]) -> bool:
        client = self._client or producer(self._config, **{"message.timeout.ms": _TIMEOUT_MS})
        self._client = None  # One that fails, fatally perhaps, is not used again.
        failed: list[KafkaError] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failed.append(error)

        for letter in letters:
            source = letter.source
            place = source.topic, source.partition, source.offset
            kept = dead_letter(source.key, source.value, *place, letter.reason)
            send(client, self._topic, kept.key, kept.value, delivered, kept.headers)
        if client.flush(_FLUSH_SECONDS) > 0 or failed:
            return False
        self._client = client
        return True
