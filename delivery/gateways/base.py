"""What a sender and a gateway agree on. A gateway is one way to a customer: SMTP, SMPP, Web Push, ..."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


@dataclass(frozen=True)
class Message:
    """One message to one address, ready to be sent."""

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
    is_wanted: Callable[[], Awaitable[bool]] | None = field(default=None, compare=False)
    """Asked when the gateway has a place for the message, right before it goes out; None: it always is."""


class Result(Enum):
    """The result of one attempt to send."""

    SENT = auto()
    """The gateway has the message and answers for it from now on."""
    RETRY = auto()
    """It may work later: a time-out, a full queue, a gateway that is down."""
    REJECTED = auto()
    """It never will: no such address, a malformed message."""
    WITHDRAWN = auto()
    """It was not wanted any more when its turn came, and did not go out."""


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
    """The fault is the gateway's or ours and not this message's: others need not be tried meanwhile."""
    doubtful: bool = False
    """The answer may be about this address or about us: what the gateway says to others tells them apart."""
    unasked: bool = False
    """It was decided here, and says nothing of the gateway."""
    unanswered: bool = False
    """The gateway did not answer in time; of many in a row, it is down."""
    gone: bool = False
    """The device does not exist any more: a rejection that is no dead letter, as no operator can mend it."""


WITHDRAWN = Outcome(Result.WITHDRAWN)
"""The outcome of a message that was not wanted any more."""


@dataclass(frozen=True)
class Receipt:
    """What the gateway reports later of a message it took."""

    reference: str
    delivered: bool
    at: int
    """Milliseconds UTC."""
    reason: str | None = None


class Gateway(ABC):
    """A way to the customer; safe to be called by many tasks at once.

    By default it needs no preparation, holds nothing open and gives no receipts.
    """

    async def open(self) -> None:
        """Get ready; must not fail where the gateway is down."""
        return

    @abstractmethod
    async def send(self, message: Message) -> Outcome:
        """Send one message; faults are outcomes, never exceptions."""

    async def receipts(self) -> AsyncIterator[Receipt]:
        """Yield receipts as they come, without end; waits for ever where the gateway gives none."""
        await asyncio.Event().wait()
        yield  # type: ignore[misc]  # Never reached: it makes this a generator.

    async def close(self) -> None:
        """Close connections."""
        return
