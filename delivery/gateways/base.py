"""What a sender and a gateway agree on. A gateway is one way to a customer: SMTP, SMPP, Web Push, ..."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One message to one address, ready to be handed over."""

    key: str
    """The idempotency key: the alert's id, or the digest's; the same at every attempt."""
    customer_id: str
    address: str
    """An e-mail address, a phone number, or a device as the device resolver writes it."""
    language: str
    title: str
    """The subject of a mail, the title of a push."""
    text: str
    html: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    """What an app gets beside the text, such as the alert's id and type; nothing personal."""
    unsubscribe: str | None = None
    """The https address by which a mail program ends such mails in one click (RFC 8058)."""


class Result(Enum):
    """What became of a hand-over."""

    HANDED_OVER = "handed over"
    """The gateway has it and answers for it from now on."""
    RETRY = "retry"
    """It may work later: a time-out, a full queue, a gateway that is down."""
    REFUSED = "refused"
    """It never will: no such address, a malformed message."""


@dataclass(frozen=True)
class Outcome:
    """The gateway's answer to one message."""

    result: Result
    reference: str | None = None
    """The gateway's own id of the message, by which receipts name it."""
    reason: str | None = None
    """Why not, without anything personal in it."""
    retry_after: float | None = None
    """Seconds the gateway asks for before the next attempt."""
    gateway_down: bool = False
    """The fault is the gateway's and not this message's: others need not be tried meanwhile."""


@dataclass(frozen=True)
class Receipt:
    """What the gateway says later of a message it took."""

    reference: str
    delivered: bool
    at: int
    """Milliseconds UTC."""
    reason: str | None = None


class Gateway(Protocol):
    """A way to the customer; safe to be called by many tasks at once."""

    async def open(self) -> None:
        """Get ready; does not fail where the gateway is down."""

    async def send(self, message: Message) -> Outcome:
        """Hand one message over; faults are outcomes, never exceptions."""

    def receipts(self) -> AsyncIterator[Receipt]:
        """Receipts as they come, without end; none where the gateway gives none."""

    async def close(self) -> None:
        """Let go of connections."""
