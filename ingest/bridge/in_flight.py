"""A message between its delivery by the queue and its settlement."""

from collections.abc import Callable
from enum import StrEnum

from proton import Delivery


class Outcome(StrEnum):
    """How a message is settled (AMQP 1.0, section 3.4)."""

    ACCEPTED = "accepted"
    """Kafka has acknowledged all of it, as bookings or as a dead letter."""
    REJECTED = "rejected"
    """No Kafka record can hold it: the broker keeps it with its own dead letters."""


class InFlightMessage:
    """An unsettled message; counts the records that Kafka has not acknowledged.

    Whoever makes it holds one count until all records are written, because the first may be acknowledged
    before the last is written. With the last count `on_complete` is called, once.
    """

    __slots__ = (
        "_on_complete",
        "_pending",
        "body",
        "connection",
        "delivery",
        "delivery_count",
        "outcome",
        "received_at",
    )

    def __init__(
        self,
        delivery: Delivery,
        connection: int,
        body: bytes,
        delivery_count: int,
        received_at: float,
        on_complete: "Callable[[InFlightMessage], None]",
    ) -> None:
        """Begin with one count.

        Args:
            delivery: What the broker is told the outcome of.
            connection: The number of the connection it came by: a later one cannot settle it.
            body: Its bytes.
            delivery_count: How often it was delivered before, as the broker counts.
            received_at: When, in seconds of the monotonic clock.
            on_complete: Called when Kafka has acknowledged everything.
        """
        self.delivery = delivery
        self.connection = connection
        self.body = body
        self.delivery_count = delivery_count
        self.received_at = received_at
        self.outcome = Outcome.ACCEPTED
        self._pending = 1
        self._on_complete = on_complete

    def add_record(self) -> None:
        """Count a record that is written."""
        self._pending += 1

    def acknowledge(self) -> None:
        """Take one count back; the last completes the message."""
        self._pending -= 1
        if not self._pending:
            self._on_complete(self)
