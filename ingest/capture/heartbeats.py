"""What comes out of the beats that change data capture writes to the bank's database.

The connector counts up a row of the database every `capture.heartbeat`, and reads that change as any other.
So the age of the newest beat is how far capture is behind, whatever the connector says of itself; and a beat
that is missed says that changes were lost, such as while the publication was not there.
"""

import json
import logging
from typing import Protocol

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from account_alerts.config import Config
from account_alerts.kafka.clients import consumer, to_bytes
from account_alerts.kafka.lost_brokers import OnLost, watch
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from ingest.capture import debezium
from ingest.capture.changes import InvalidChangeError, milliseconds

_log = logging.getLogger(__name__)
_BATCH = 500
_SECONDS = 0.2
"""How long to wait for a batch."""


class Source(Protocol):
    """What gives the beats: a consumer of Kafka."""

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        """Return the next messages."""
        ...


def connect(config: Config, on_lost: OnLost | None = None) -> Source:
    """Make a consumer of all beats that Kafka keeps; `on_lost` is called when it never connects again."""
    client = consumer(config, **{"allow.auto.create.topics": False}, **watch(config, on_lost))
    client.assign([TopicPartition(config.require("capture").topic(debezium.HEARTBEAT), 0, OFFSET_BEGINNING)])
    return client


class Heartbeats:
    """The beats that came out, oldest first."""

    def __init__(self, source: Source, clock: Clock = SYSTEM_CLOCK) -> None:
        """Begin with none; until the first one the age counts from now."""
        self._source, self._clock = source, clock
        self._newest = clock.now_ms()
        self.number: int | None = None
        """Of the newest beat; None before the first."""
        self.lost = 0
        """Beats that were written and never came out, since the last snapshot."""

    def read(self) -> None:
        """Read what has come since."""
        while messages := self._source.consume(_BATCH, _SECONDS):
            for message in messages:
                value = to_bytes(message.value())
                # An error is Kafka's: the age shows it.
                if message.error() is None and value is not None:
                    self._note(value)

    @property
    def age(self) -> float:
        """How long ago the newest beat was written, in seconds: so old is what comes out now."""
        return (self._clock.now_ms() - self._newest) / 1000

    def _note(self, value: bytes) -> None:
        try:
            row = json.loads(value)
            beat, number = milliseconds(row["beat_at"], "beat_at"), int(row["beats"])
            is_snapshot = row.get("__op") == "r"
        except (ValueError, TypeError, KeyError, AttributeError, InvalidChangeError) as error:
            _log.warning("a heartbeat cannot be read: %s", type(error).__name__)
            return
        if is_snapshot:
            self.lost = 0  # All that is in the tables came with it.
        elif self.number is not None:
            self.lost += max(0, number - self.number - 1)
        self._newest, self.number = beat, number
