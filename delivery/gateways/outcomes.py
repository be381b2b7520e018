"""Outcomes that several gateways share, and what the tables of their answers say."""

from dataclasses import dataclass, replace
from enum import Enum

from delivery.gateways.base import Outcome, Result

DEVICE_GONE = "device is gone"
"""The reason where a push service does not know a device any more: it may be removed."""


class About(Enum):
    """What an answer other than yes is about. An answer about us never ends an alert."""

    MESSAGE = "this message"
    """It is never taken, whomever it is for: rejected."""
    ADDRESS = "this address"
    """It never takes anything: rejected."""
    GONE = "a device that is gone"
    """Rejected, and no dead letter."""
    LATER = "nothing that lasts"
    """Too much, too early, an error that passes: tried again."""
    US = "us or the gateway"
    """Our key, quota, configuration, clock, or a gateway that is down: it is probed, and all alerts wait."""
    MISMATCH = "us, or an address made for another key or topic"
    """As about us; rejected where the gateway takes others meanwhile."""
    UNKNOWN = "this address or us"
    """Tried again. Rejected where the gateway takes others meanwhile; where it takes none, it is about us."""


@dataclass(frozen=True)
class Meaning:
    """A line of a table: what an answer is about, and where that is written."""

    about: About
    source: str


def outcome(about: About, reason: str, *, after: float | None = None) -> Outcome:
    """Return what an answer means for a message; `after`: seconds the gateway asks for."""
    if about is About.GONE:
        return Outcome(Result.REJECTED, reason=DEVICE_GONE, gone=True)
    if about in (About.MESSAGE, About.ADDRESS):
        return rejected(reason)
    down, doubtful = about in (About.US, About.MISMATCH), about in (About.UNKNOWN, About.MISMATCH)
    return replace(retry(reason, after=after, down=down), doubtful=doubtful)


def rejected(reason: str) -> Outcome:
    """Return an outcome that no further attempt can change."""
    return Outcome(Result.REJECTED, reason=reason)


def unsendable(reason: str) -> Outcome:
    """Return the outcome of what the gateway need not be asked about."""
    return Outcome(Result.REJECTED, reason=reason, unasked=True)


def retry(reason: str, *, after: float | None = None, down: bool = False) -> Outcome:
    """Return an outcome that a later attempt may change; `down`: no message can be sent at present."""
    return Outcome(Result.RETRY, reason=reason, retry_after=after, gateway_down=down)
