"""How the processes start: arguments, configuration, logs, and what a sender waits for first."""

import asyncio
import logging

from confluent_kafka import KafkaException

from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.kafka.clients import KafkaUnreachableError, consumer, partitions
from delivery.ledger.session import Session

_log = logging.getLogger(__name__)
_LATEST_SAID = 10.0


async def wait_for_profiles(config: Config, database: Database) -> None:
    """Wait until the profiles have everything that is now on the topics they are made of."""
    ends = await _ends(config)
    session = Session(database, "sender start")
    said = asyncio.get_running_loop().time()
    try:
        while True:
            rows = await session.run("SELECT topic, partition, next_offset FROM profile_progress")
            known = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            behind = {place for place, end in ends.items() if known.get(place, 0) < end}
            if not behind:
                return
            if asyncio.get_running_loop().time() > said + _LATEST_SAID:
                said += _LATEST_SAID
                _log.warning("waiting for the profiles: %s", sorted(behind))
            await asyncio.sleep(0.1)
    finally:
        await session.close()


async def _ends(config: Config) -> dict[tuple[str, int], int]:
    topics = (config.topics.alert_settings.name, config.topics.account_authorizations.name)

    def ask() -> dict[tuple[str, int], int]:
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
            await asyncio.sleep(1)
