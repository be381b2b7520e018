"""The message queue: putting messages onto it, and counting those that wait."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

from account_alerts.config.ingest import Bridge
from account_alerts.model.errors import UnreachableError
from ingest.bridge.connection import QUEUE, connect

DEAD_LETTERS = ".dead-letters"
"""Behind the queue's address: where the local broker puts what a receiver rejects."""
_STALLED_SECONDS = 30.0
_DEPTH_SECONDS = 3.0


class QueueUnreachableError(UnreachableError):
    """The broker did not take all messages; the message says how many it has for sure."""


@dataclass(frozen=True)
class Outgoing:
    """A message to be put onto the queue."""

    body: bytes
    group: str | None = None
    """Messages of a group are read in their order, where several bridges share the queue (Artemis)."""


def put(bridge: Bridge, messages: Iterable[Outgoing], rate: float | None = None) -> int:
    """Put messages onto the queue in their order; return how many, when the broker has stored all.

    Args:
        bridge: Where the queue is.
        messages: What to put.
        rate: Messages a second; None for as many as go.

    Raises:
        QueueUnreachableError: It cannot be reached, or refused a message.
    """
    handler = _Putter(bridge, iter(messages), rate)
    container = Container(handler)
    container.timeout = 0.01
    container.start()
    while container.process():
        handler.send_due()
    if handler.error is not None or not handler.complete:
        raise QueueUnreachableError(
            f"{bridge.url}/{bridge.address}: {handler.error or 'the connection was lost'}; "
            f"{handler.stored} of {handler.sent} messages are on the queue for sure"
        )
    return handler.stored


class _Client(MessagingHandler):
    """Notes why a connection ended."""

    def __init__(self, bridge: Bridge, **options: Any) -> None:
        super().__init__(**options)
        self.bridge = bridge
        self.connection: Any = None
        self.error: str | None = None

    def fail(self, reason: str) -> None:
        self.error = self.error or reason
        if self.connection is not None:
            self.connection.close()

    def on_transport_error(self, event: Any) -> None:
        self.error = self.error or _why(event.transport.condition)

    def on_connection_error(self, event: Any) -> None:
        self.fail(_why(event.connection.remote_condition))

    def on_link_error(self, event: Any) -> None:
        self.fail(_why(event.link.remote_condition))


class _Putter(_Client):
    def __init__(self, bridge: Bridge, messages: Iterator[Outgoing], rate: float | None) -> None:
        super().__init__(bridge)
        self._messages, self._rate = messages, rate
        self._link: Any = None
        self._next: Outgoing | None = None
        self._started = self._progress = time.monotonic()
        self.sent = self.stored = 0
        self._exhausted = self.complete = False

    def on_start(self, event: Any) -> None:
        self.connection = connect(event.container, self.bridge)
        self._link = event.container.create_sender(self.connection, self.bridge.address, options=QUEUE)

    def on_link_opened(self, event: Any) -> None:
        self._started = self._progress = time.monotonic()

    def on_sendable(self, event: Any) -> None:
        self.send_due()

    def on_accepted(self, event: Any) -> None:
        self.stored += 1
        self._progress = time.monotonic()
        self._end_if_complete()

    def on_rejected(self, event: Any) -> None:
        self.fail("the broker refused a message")

    def on_released(self, event: Any) -> None:
        self.fail("the broker gave a message back")

    def send_due(self) -> None:
        """Send what is due and has credit."""
        now = time.monotonic()
        if now - self._progress > _STALLED_SECONDS and self.stored < self.sent + (not self._exhausted):
            self._progress = now
            self.fail(f"nothing was taken for {_STALLED_SECONDS:.0f} s")
        while not (self._exhausted or self.error) and self._link.credit > 0:
            if self._rate and self._started + self.sent / self._rate > now:
                self._progress = now  # Not due yet: that is no standstill.
                return
            message = next(self._messages, None)
            if message is None:
                self._exhausted = True
                self._end_if_complete()
                return
            self._link.send(Message(body=message.body, durable=True, inferred=True, group_id=message.group))
            self.sent += 1

    def _end_if_complete(self) -> None:
        if self._exhausted and self.stored == self.sent and not self.complete:
            self.complete = True
            self.connection.close()


@dataclass(frozen=True)
class Status:
    """The state of a queue."""

    depth: int
    """Messages on it: those that wait, and those that a bridge has and has not settled."""
    unsettled: int
    """Messages that bridges have taken and not settled."""
    consumers: int


def status(bridge: Bridge, queue: str | None = None) -> Status | None:
    """Ask for the state of the queue or another one of the broker; None where the broker cannot say."""
    if bridge.management is None:
        return None
    handler = _Asker(bridge, queue or bridge.address)
    container = Container(handler)
    container.timeout = 0.05
    container.start()
    end = time.monotonic() + _DEPTH_SECONDS
    while container.process() and time.monotonic() < end:
        pass
    try:
        return Status(*(int(handler.answers[name]) for name in _ATTRIBUTES))
    except (KeyError, ValueError):
        return None


_ATTRIBUTES = ("messageCount", "deliveringCount", "consumerCount")


class _Asker(_Client):
    """Asks Artemis's management for a queue's attributes."""

    def __init__(self, bridge: Bridge, queue: str) -> None:
        super().__init__(bridge)
        self._queue = queue
        self._link: Any = None
        self._receiver: Any = None
        self.answers: dict[str, str] = {}

    def on_start(self, event: Any) -> None:
        container = event.container
        self.connection = connect(container, self.bridge)
        self._receiver = container.create_receiver(self.connection, None, dynamic=True)
        self._link = container.create_sender(self.connection, self.bridge.management)

    def on_link_opened(self, event: Any) -> None:
        if event.receiver is None:
            return
        for name in _ATTRIBUTES:
            properties = {"_AMQ_ResourceName": f"queue.{self._queue}", "_AMQ_Attribute": name}
            self._link.send(
                Message(
                    body="",
                    properties=properties,
                    reply_to=event.receiver.remote_source.address,
                    correlation_id=name,
                )
            )

    def on_message(self, event: Any) -> None:
        body = event.message.body
        values = json.loads(body) if isinstance(body, str) and body.startswith("[") else []
        self.answers[str(event.message.correlation_id)] = str(values[0]) if values else ""
        if len(self.answers) == len(_ATTRIBUTES):
            self.connection.close()


def _why(condition: Any) -> str:
    if condition is None:
        return "the connection was lost"
    return f"{condition.name}: {condition.description}" if condition.description else str(condition.name)
