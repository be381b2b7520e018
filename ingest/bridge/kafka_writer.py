"""Writes parsed messages to Kafka: bookings to `account-entries`, the rest to `dead-letters`."""

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, KafkaException, Producer

from account_alerts.config import Config
from account_alerts.kafka.clients import producer, send
from account_alerts.kafka.dead_letters import dead_letter
from account_alerts.kafka.lost_brokers import OnLost, watch
from account_alerts.model.errors import OperationError
from account_alerts.model.limits import DEAD_LETTER_RECORD
from account_alerts.records.codec import CodecError, codec
from ingest.bridge.in_flight import InFlightMessage, Outcome
from ingest.bridge.metrics import Metrics
from ingest.formats.parsed import ParsedMessage

_LOG = logging.getLogger(__name__)
_LINGER_MS = 5
"""How long a booking waits at most for others that Kafka gets in one request with it."""
_LARGEST_BOOKING = 900_000
"""Bytes; Kafka's own limit for a record of `account-entries` is 1 MiB."""
_REFUSED = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD})
"""Errors of one record, which no attempt mends; any other is Kafka's or the configuration's."""
_TOPIC_CHECK_SECONDS = 0.2


class BridgeError(OperationError):
    """Kafka takes no bookings; unsettled messages stay on the queue. The text says why."""


def connect(config: Config, on_lost: OnLost | None = None) -> Producer:
    """Make the bridge's producer. It has no time-out: a booking waits for Kafka as long as it takes.

    Args:
        config: The environment.
        on_lost: Called when Kafka is never reached again.
    """
    return producer(config, **{"message.timeout.ms": 0, "linger.ms": _LINGER_MS}, **watch(config, on_lost))


class KafkaWriter:
    """Writes what messages hold, and completes each when Kafka has acknowledged all of it."""

    def __init__(self, config: Config, client: Producer, queue: str, metrics: Metrics) -> None:
        """Prepare to write; `queue` is the messages' source, as dead letters name it."""
        self._queue = queue
        self._entries = config.topics.account_entries.name
        self._dead_letters = config.topics.dead_letters.name
        self._codec = codec(config)
        self._producer = client
        self._metrics = metrics
        self._failure: str | None = None

    def wait_until_ready(self, stopped: Callable[[], bool]) -> bool:
        """Wait until Kafka has both topics; returns False where it was stopped first."""
        warned = False
        while not stopped():
            self._producer.poll(0)
            problem = self._problem()
            if problem is None:
                return True
            if not warned:
                warned = True
                _LOG.warning("waits for Kafka: %s", problem)
            time.sleep(_TOPIC_CHECK_SECONDS)
        return False

    def _problem(self) -> str | None:
        wanted = (self._entries, self._dead_letters)
        try:
            topics = self._producer.list_topics(timeout=1).topics
        except KafkaException as error:
            return str(error)
        if all(name in topics and topics[name].error is None for name in wanted):
            return None
        return f"topics {', '.join(wanted)} are missing"

    def poll(self) -> None:
        """Serve Kafka's acknowledgements; messages that are complete say so.

        Raises:
            BridgeError: Kafka refuses all records, such as for want of the right to write.
        """
        self._producer.poll(0)
        if self._failure is not None:
            raise BridgeError(self._failure)

    def write(self, message: InFlightMessage, parsed: ParsedMessage) -> None:
        """Write a message's bookings and, where it has errors, the message as a dead letter.

        The message is complete, with its outcome, when Kafka has acknowledged all of these. It never is
        where Kafka refuses them for another reason than the record: then `poll` raises.
        """
        errors = list(parsed.errors)
        for booking in parsed.bookings:
            try:
                value = self._codec.encode("AccountEntry", booking, self._entries, check=False)
            except CodecError:
                errors.append("a text that is not Unicode")
                continue
            if len(value) > _LARGEST_BOOKING:
                errors.append(f"a booking longer than {_LARGEST_BOOKING} bytes")
                continue
            self._write_booking(message, str(booking["account_id"]).encode(), value)
        if parsed.skipped:
            self._metrics.skipped_entries.inc(parsed.skipped)
        if errors:
            self._write_dead_letter(message, "; ".join(errors))
        message.acknowledge()

    def _write_booking(self, message: InFlightMessage, key: bytes, value: bytes) -> None:
        def delivered(error: KafkaError | None, _: object) -> None:
            if error is None:
                self._metrics.bookings.inc()
            elif not self._refused(message, self._entries, error):
                return
            message.acknowledge()

        message.add_record()
        send(self._producer, self._entries, key, value, delivered)

    def _write_dead_letter(self, message: InFlightMessage, reason: str) -> None:
        if len(message.body) > DEAD_LETTER_RECORD:
            # Cut here; the queue's own dead letters keep it whole.
            message.outcome = Outcome.REJECTED

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is None:
                self._metrics.dead_letters.inc()
            elif not self._refused(message, self._dead_letters, error):
                return
            message.acknowledge()

        message.add_record()
        letter = dead_letter(None, message.body, self._queue, 0, message.delivery_count, reason)
        send(self._producer, self._dead_letters, letter.key, letter.value, delivered, letter.headers)

    def _refused(self, message: InFlightMessage, topic: str, error: KafkaError) -> bool:
        """Tell whether Kafka refuses this record only; otherwise `poll` raises, and nothing is settled."""
        if error.code() in _REFUSED:
            message.outcome = Outcome.REJECTED
            return True
        self._failure = f"{topic}: {error}"
        return False
