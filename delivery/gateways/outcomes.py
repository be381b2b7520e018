"""Outcomes that several gateways share."""

from delivery.gateways.base import Outcome, Result

DEVICE_GONE = "device is gone"
"""The reason where a push service does not know a device any more: it may be removed."""


def rejected(reason: str) -> Outcome:
    """Return an outcome that no further attempt can change."""
    return Outcome(Result.REJECTED, reason=reason)


def retry(reason: str, *, after: float | None = None, down: bool = False) -> Outcome:
    """Return an outcome that a later attempt may change; `down`: no message can be sent at present."""
    return Outcome(Result.RETRY, reason=reason, retry_after=after, gateway_down=down)
