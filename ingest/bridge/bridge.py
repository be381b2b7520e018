"""The bridge's loop: messages from the queue to Kafka, each settled when Kafka has all of it.

One thread does everything. The number of unsettled messages is bounded by the credit that the broker is
given: without Kafka's acknowledgements there is no new credit, so an unreachable Kafka stops the reading and
loses nothing.
"""

import logging
import weakref
from typing import Any
from zoneinfo import ZoneInfo

from confluent_kafka import Producer
from proton import Delivery, Handler, Message
from proton.handlers import EndpointStateHandler, MessagingHandler

from account_alerts.config import Config
from account_alerts.service.backoff import Backoff
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from ingest.bridge import events, sections
from ingest.bridge.connection import QUEUE, connect
from ingest.bridge.in_flight import InFlightMessage, Outcome
from ingest.bridge.kafka_writer import KafkaWriter
from ingest.bridge.metrics import Metrics
from ingest.formats import detect
from ingest.formats.parsed import ParsedMessage

_LOG = logging.getLogger(__name__)
_BUSY_SECONDS, _IDLE_SECONDS = 0.002, 0.2
"""How long to wait for the queue before Kafka's acknowledgements are served."""
_SETTLE_BATCH, _SETTLE_SECONDS = 200, 0.01
"""So many messages are settled together, or those of so long: each time costs broker and bridge a write."""
_DRAIN_SECONDS = 8.0
"""At shutdown, for unsettled messages; those that remain are delivered again."""
_FIRST_BACKOFF, _MAX_BACKOFF = 0.1, 5.0
"""Seconds."""
_DISPOSITIONS = {Outcome.ACCEPTED: Delivery.ACCEPTED, Outcome.REJECTED: Delivery.REJECTED}


def _body_bytes(body: Any) -> bytes | None:
    """Return a message's body, empty where it has none; None where it is neither bytes nor text."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else None


class Bridge(MessagingHandler):
    """One process's share of a queue."""

    def __init__(
        self, config: Config, producer: Producer, metrics: Metrics, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        """Prepare; `run` begins.

        Raises:
            ConfigError: There is no section `bridge`.
        """
        super().__init__(prefetch=0, auto_accept=False)
        # Deliveries come to `on_delivery` at once: the library's way to `on_message` is a tenth slower.
        self.handlers: list[Handler] = [EndpointStateHandler(delegate=weakref.proxy(self))]
        self._bridge = config.require("bridge")
        self._zone = ZoneInfo(self._bridge.time_zone)
        self._clock = clock
        self._metrics = metrics
        self._kafka = KafkaWriter(config, producer, self._bridge.address, metrics)
        self._received = Message()
        """Decodes every message in its turn: to make one costs as much as to decode it."""
        self._container: Any = None
        self._connection: Any = None
        self._link: Any = None
        self._connections = 0
        self._backoff = Backoff(_FIRST_BACKOFF, _MAX_BACKOFF)
        self._unsettled = 0
        self._complete: list[InFlightMessage] = []
        self._settled_at = float("-inf")
        self._deadline: float | None = None
        """When to end at the latest; None before `stop`."""
        self._drained = False

    def stop(self) -> None:
        """Receive nothing more, settle what is in flight, and let `run` return; safe in a signal handler."""
        if self._deadline is None:
            self._deadline = self._clock.monotonic() + _DRAIN_SECONDS

    @property
    def is_ready(self) -> bool:
        """Whether messages are taken from the queue."""
        return self._link is not None

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            BridgeError: Kafka refuses to take bookings at all, such as for want of the right to write.
        """
        if not self._kafka.wait_until_ready(lambda: self._deadline is not None):
            return
        container = self._container = events.container(self)
        container.start()
        container.timeout = _IDLE_SECONDS
        while container.process() and not self._has_ended():
            self._metrics.unsettled.set(self._unsettled)
            self._kafka.poll()
            self._settle()
            container.timeout = _BUSY_SECONDS if self._unsettled else _IDLE_SECONDS
        _LOG.info("ends; %d unsettled messages go back to the queue", self._unsettled)

    def _has_ended(self) -> bool:
        """After `stop`: give the credit back, wait for what is in flight, then close."""
        if self._deadline is None:
            return False
        if self._link is None or self._clock.monotonic() > self._deadline:
            return True
        if not self._drained:
            self._drained = True
            self._link.drain(0)
        elif not self._unsettled and not self._link.credit:
            # The loop ends when the broker has answered, and so knows of everything that was settled.
            self._connection.close()
        return False

    # The queue's side.

    def on_start(self, event: Any) -> None:
        """Connect for the first time."""
        self._connect()

    def on_timer_task(self, event: Any) -> None:
        """Connect again."""
        self._connect()

    def _connect(self) -> None:
        if self._deadline is not None:
            return
        self._connection = connect(self._container, self._bridge)
        self._container.create_receiver(self._connection, self._bridge.address, options=QUEUE)

    def on_link_opened(self, event: Any) -> None:
        """Receive messages."""
        _LOG.info("reads %s", self._bridge.address)
        self._metrics.connected.set(1)
        self._link = event.receiver
        self._connections += 1
        self._give_credit()

    def on_transport_error(self, event: Any) -> None:
        """Log why the connection was lost."""
        self._warn(event.transport.condition)

    def on_connection_error(self, event: Any) -> None:
        """Log why the broker ended the connection."""
        self._warn(event.connection.remote_condition)

    def on_link_error(self, event: Any) -> None:
        """Connect again where the broker does not offer this queue, or no longer."""
        self._warn(event.link.remote_condition)
        event.connection.close()

    def on_link_closed(self, event: Any) -> None:
        """Connect again where the queue was closed without an error."""
        if self._deadline is None:
            event.connection.close()

    def on_transport_closed(self, event: Any) -> None:
        """Connect again after a back-off; the broker delivers unsettled messages again."""
        if event.transport.connection not in (None, self._connection):
            return
        self._metrics.connected.set(0)
        self._link = None
        if self._deadline is None:
            self._metrics.reconnects.inc()
            self._container.schedule(self._backoff.next(), self)

    def _warn(self, condition: Any) -> None:
        _LOG.warning("queue: %s", condition or "the connection was lost")

    def on_delivery(self, event: Any) -> None:
        """Write a message's bookings to Kafka."""
        delivery = event.delivery
        if delivery.aborted:
            delivery.settle()  # The broker took it back before all of it was here.
        elif delivery.readable and not delivery.partial:
            link = event.link
            encoded = bytes(link.recv(delivery.pending) or b"")
            link.advance()
            body, parsed = self._parse(encoded)
            self._backoff.reset()
            self._unsettled += 1
            message = InFlightMessage(
                delivery,
                self._connections,
                body,
                self._received.delivery_count,
                self._clock.monotonic(),
                self._on_complete,
            )
            self._kafka.write(message, parsed)

    def _parse(self, encoded: bytes) -> tuple[bytes, ParsedMessage]:
        """Parse an AMQP message; returns the body, as a dead letter keeps it, and what it holds."""
        received = self._received
        received.clear()  # Otherwise a header that this message lacks would remain of the one before.
        try:
            received.decode(encoded)
            data = sections.join_data(encoded)
        except Exception as error:  # Such as a text that is not Unicode: the library lets any pass.
            received.clear()
            return encoded, _invalid(f"not a readable AMQP message: {type(error).__name__}")
        is_text = data is None and isinstance(received.body, str)
        if data is None:
            data = _body_bytes(received.body)
        body = encoded if data is None else data
        if len(body) > self._bridge.max_message:
            return body, _invalid(f"longer than {self._bridge.max_message} bytes")
        if data is None:
            return body, _invalid("neither bytes nor text")
        codes = self._bridge.transaction_codes
        return body, detect.parse(data, self._zone, transaction_codes=codes, is_text=is_text)

    def _on_complete(self, message: InFlightMessage) -> None:
        """Settle the message, which Kafka has all of, with the next batch."""
        self._complete.append(message)

    def _settle(self) -> None:
        """Tell the broker of complete messages, and give credit for as many new ones."""
        now = self._clock.monotonic()
        # Others that are in flight are complete soon; the last of all waits for nothing.
        waits = len(self._complete) < min(self._unsettled, _SETTLE_BATCH)
        if not self._complete or (waits and now < self._settled_at + _SETTLE_SECONDS):
            return
        self._settled_at = now
        complete, self._complete = self._complete, []
        accepted = settled = 0
        for message in complete:
            self._metrics.settle_duration.observe(now - message.received_at)
            if self._link is None or message.connection != self._connections:
                continue  # Of an earlier connection: the broker delivers it again.
            accepted += message.outcome is Outcome.ACCEPTED
            message.delivery.update(_DISPOSITIONS[message.outcome])
            message.delivery.settle()
            settled += 1
        self._unsettled -= len(complete)
        self._metrics.messages[Outcome.ACCEPTED].inc(accepted)
        self._metrics.messages[Outcome.REJECTED].inc(settled - accepted)
        self._metrics.unsettled.set(self._unsettled)
        self._give_credit()

    def _give_credit(self) -> None:
        """Let so many messages come that the window is full.

        An unsettled message of an earlier connection counts until Kafka has it, and no longer.
        """
        if self._link is not None and self._deadline is None:
            room = self._bridge.max_unsettled - self._unsettled - self._link.credit
            if room > 0:
                self._link.flow(room)


def _invalid(reason: str) -> ParsedMessage:
    return ParsedMessage(errors=[reason])
