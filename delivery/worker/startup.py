"""What a sender waits for before it sends: complete profiles."""

import asyncio
import logging

from confluent_kafka import KafkaException

from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.kafka.clients import KafkaUnreachableError, consumer, partitions
from delivery.ledger.session import Session

_log = logging.getLogger(__name__)
_LOG_SECONDS = 10.0
_POLL_SECONDS = 0.1
_RETRY_SECONDS = 1.0

Position = tuple[str, int]
"""A topic and a partition."""


async def wait_for_profiles(config: Config, database: Database) -> None:
    """Wait until the profiles have everything that is now on the topics they are made of."""
    ends = await _end_offsets(config)
    session = Session(database, "sender start")
    logged = asyncio.get_running_loop().time()
    try:
        while True:
            rows = await session.run("SELECT topic, partition, next_offset FROM profile_progress")
            known = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            behind = missing(ends, known)
            if not behind:
                return
            if asyncio.get_running_loop().time() > logged + _LOG_SECONDS:
                logged += _LOG_SECONDS
                _log.warning("waiting for the profiles: %s", behind)
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await session.close()


def missing(ends: dict[Position, int], known: dict[Position, int]) -> list[Position]:
    """Return the partitions that are not read up to their end offset."""
    return sorted(position for position, end in ends.items() if known.get(position, 0) < end)


async def _end_offsets(config: Config) -> dict[Position, int]:
    topics = (
        config.topics.alert_settings.name,
        config.topics.account_authorizations.name,
        config.topics.sms_opt_outs.name,
    )

    def ask() -> dict[Position, int]:
        client = consumer(config)
        try:
            return {
                (part.topic, part.partition): (client.get_watermark_offsets(part, 10) or (0, 0))[1]
                for topic in topics
                for part in partitions(client, topic)
            }
        finally:
            client.close()

    while True:
        try:
            return await asyncio.to_thread(ask)
        except (KafkaUnreachableError, KafkaException) as error:
            _log.warning("%s", error)
            await asyncio.sleep(_RETRY_SECONDS)
