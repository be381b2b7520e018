"""The bridge's loop: messages from the queue to Kafka, each settled when Kafka has all of it.

One thread does all. What is in hand is bounded by the credit that the broker gets: without Kafka's
acknowledgements there is no new credit, so a Kafka that is away stops the reading and loses nothing.
"""

import logging
import random
import time
import weakref
from typing import Any
from zoneinfo import ZoneInfo

from proton import Delivery, Handler, Message
from proton.handlers import EndpointStateHandler, MessagingHandler

from account_alerts.config import Config, ConfigError
from ingest.bridge import events, metrics
from ingest.bridge.connection import QUEUE, connect
from ingest.bridge.to_kafka import InHand, ToKafka
from ingest.formats import detect

_LOG = logging.getLogger(__name__)
_BUSY_SECONDS, _IDLE_SECONDS = 0.002, 0.2
"""How long to wait for the queue, before Kafka's answers are looked at."""
_SETTLED_AT_ONCE, _SETTLE_SECONDS = 200, 0.01
"""So many messages are settled together, or those of so long: each time costs broker and bridge a write."""
_DRAIN_SECONDS = 8.0
"""At the end, for what is in hand; what is left then is delivered again."""
_FIRST_BACK_OFF, _LONGEST_BACK_OFF = 0.1, 5.0


class BridgeError(Exception):
    """The bridge cannot go on, and what it had in hand stays on the queue; the message says why."""


def _bytes_of(body: Any) -> bytes | None:
    """What a message holds, no bytes where it has no body; None for what is no text, such as a map."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else None


class Bridge(MessagingHandler):
    """One process's share of a queue."""

    def __init__(self, config: Config) -> None:
        """Prepare; `run` begins.

        Raises:
            ConfigError: There is no section `bridge`.
        """
        super().__init__(prefetch=0, auto_accept=False)
        # Deliveries come to `on_delivery` at once: the library's way to `on_message` is a tenth slower.
        self.handlers: list[Handler] = [EndpointStateHandler(delegate=weakref.proxy(self))]
        if config.bridge is None:
            raise ConfigError(f"{config.path}: bridge: missing. Add it, as in conf/local.yaml")
        self._bridge = config.bridge
        self._zone = ZoneInfo(config.bridge.time_zone)
        self._kafka = ToKafka(config, config.bridge.address)
        self._received = Message()
        """Every message in its turn: to make one costs as much as to decode it."""
        self._container: Any = None
        self._connection: Any = None
        self._link: Any = None
        self._connections = 0
        self._back_off = _FIRST_BACK_OFF
        self._in_hand = 0
        self._settled_at = 0.0
        self._ending: float | None = None
        self._drained = False

    def stop(self) -> None:
        """Take nothing more, finish what is in hand, and let `run` return; safe in a signal handler."""
        if self._ending is None:
            self._ending = time.monotonic() + _DRAIN_SECONDS

    def run(self) -> None:
        """Work until `stop` is called.

        Raises:
            BridgeError: Kafka refuses to take bookings at all, such as without the right to write.
        """
        if not self._kafka.wait_until_there(lambda: self._ending is not None):
            return
        container = self._container = events.container(self)
        container.start()
        container.timeout = _IDLE_SECONDS
        while container.process() and not self._ended():
            metrics.IN_HAND.set(self._in_hand)
            self._kafka.poll()
            if self._kafka.failure is not None:
                raise BridgeError(self._kafka.failure)
            self._settle()
            container.timeout = _BUSY_SECONDS if self._in_hand else _IDLE_SECONDS
        _LOG.info("ends; %d messages in hand go back to the queue", self._in_hand)

    def _ended(self) -> bool:
        """Once `stop` was called: give the credit back, wait for what is in hand, then close."""
        if self._ending is None:
            return False
        if self._link is None or time.monotonic() > self._ending:
            return True
        if not self._drained:
            self._drained = True
            self._link.drain(0)
        elif not self._in_hand and not self._link.credit:
            # The loop ends when the broker has answered, and so has been told of all that was settled.
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
        if self._ending is not None:
            return
        self._connection = connect(self._container, self._bridge)
        self._container.create_receiver(self._connection, self._bridge.address, options=QUEUE)

    def on_link_opened(self, event: Any) -> None:
        """Take messages."""
        _LOG.info("reads %s", self._bridge.address)
        metrics.CONNECTED.set(1)
        self._link = event.receiver
        self._connections += 1
        self._give_credit()

    def on_transport_error(self, event: Any) -> None:
        """Say why the connection was lost."""
        self._tell(event.transport.condition)

    def on_connection_error(self, event: Any) -> None:
        """The broker ended the connection."""
        self._tell(event.connection.remote_condition)

    def on_link_error(self, event: Any) -> None:
        """The broker does not give this queue, or no longer: begin again."""
        self._tell(event.link.remote_condition)
        event.connection.close()

    def on_link_closed(self, event: Any) -> None:
        """The queue was closed without an error: begin again."""
        if self._ending is None:
            event.connection.close()

    def on_transport_closed(self, event: Any) -> None:
        """Come back after a while; what was in hand will be delivered again."""
        if event.transport.connection not in (None, self._connection):
            return
        metrics.CONNECTED.set(0)
        self._link = None
        if self._ending is None:
            metrics.RECONNECTS.inc()
            self._container.schedule(self._back_off * random.uniform(0.5, 1), self)
            self._back_off = min(self._back_off * 2, _LONGEST_BACK_OFF)

    def _tell(self, condition: Any) -> None:
        _LOG.warning("queue: %s", condition or "the connection was lost")

    def on_delivery(self, event: Any) -> None:
        """Hand a message's bookings to Kafka."""
        delivery = event.delivery
        if delivery.aborted:
            delivery.settle()  # The broker took it back before all of it was here.
        elif delivery.readable and not delivery.partial:
            link, received = event.link, self._received
            encoded = bytes(link.recv(delivery.pending) or b"")
            link.advance()
            try:
                received.clear()  # A header that the next message does not have would stay.
                received.decode(encoded)
            except Exception as error:  # Such as a text that is not Unicode: the library lets any pass.
                taken = self._have(delivery, encoded, 0)
                self._kafka.dead_letter(taken, f"not a readable AMQP message: {type(error).__name__}")
                self._kafka.acknowledged(taken)
            else:
                self._take(delivery, received.body, encoded, received.delivery_count)

    def _take(self, delivery: Delivery, body: Any, encoded: bytes, before: int) -> None:
        is_text, data = isinstance(body, str), _bytes_of(body)
        taken = self._have(delivery, encoded if data is None else data, before)
        if len(taken.text) > self._bridge.max_message:
            self._kafka.dead_letter(taken, f"longer than {self._bridge.max_message} bytes")
        elif data is None:
            self._kafka.dead_letter(taken, "neither bytes nor text")
        else:
            self._kafka.forward(taken, detect.read(data, self._zone, is_text=is_text))
        self._kafka.acknowledged(taken)

    def _have(self, delivery: Delivery, text: bytes, before: int) -> InHand:
        """Note a message that is in hand."""
        self._back_off = _FIRST_BACK_OFF
        taken = InHand(delivery, self._connections, text, before)
        self._in_hand += 1
        # Held until all records are given to Kafka: the first may be acknowledged before the last is given.
        taken.waiting = 1
        return taken

    def _settle(self) -> None:
        """Tell the broker of what Kafka has, and take as many new messages."""
        now = time.monotonic()
        # What is in hand that is not done has its turn soon; the last of all waits for nothing.
        waits = len(self._kafka.done) < min(self._in_hand, _SETTLED_AT_ONCE)
        if not self._kafka.done or (waits and now < self._settled_at + _SETTLE_SECONDS):
            return
        self._settled_at = now
        done, self._kafka.done = self._kafka.done, []
        accepted = settled = 0
        for taken in done:
            self._in_hand -= 1
            metrics.SECONDS.observe(now - taken.taken)
            if self._link is None or taken.connection != self._connections:
                continue  # Of an earlier connection: it is delivered again.
            accepted += taken.refused is None
            taken.delivery.update(Delivery.ACCEPTED if taken.refused is None else Delivery.REJECTED)
            taken.delivery.settle()
            settled += 1
        metrics.ACCEPTED.inc(accepted)
        metrics.REJECTED.inc(settled - accepted)
        metrics.IN_HAND.set(self._in_hand)
        self._give_credit()

    def _give_credit(self) -> None:
        """Let so many come that the window is full.

        What is in hand from an earlier connection counts while Kafka does not have it, and no longer.
        """
        if self._link is not None and self._ending is None:
            room = self._bridge.window - self._in_hand - self._link.credit
            if room > 0:
                self._link.flow(room)
