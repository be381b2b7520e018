"""Alerts as their customers read them: a mail, an SMS, a push, or a digest of several alerts."""

from collections.abc import Sequence

from account_alerts.codec import Record
from senders.gateway import Message


def render(
    alert: Record, *, language: str, time_zone: str, channel: str, unsubscribe: str | None = None
) -> Message:
    """The message of one OutboundAlert, to its address; its key is the alert's id.

    Args:
        alert: An OutboundAlert.
        language: BCP 47; one that has no texts (`xx`) gives English, a region (`nl-BE`) only its way to write
            amounts and dates.
        time_zone: IANA; an unknown one gives UTC.
        channel: `EMAIL`, `SMS` or `PUSH`.
        unsubscribe: The https address that ends this setting's mails (`senders.unsubscribe`); for mails only.
    """
    raise NotImplementedError


def render_digest(
    alerts: Sequence[Record],
    *,
    key: str,
    language: str,
    time_zone: str,
    channel: str,
    unsubscribe: str | None = None,
) -> Message:
    """One message that lists several alerts of one customer and one address, in the order of their bookings.

    Args:
        alerts: At least one; customer and address are the first one's.
        key: The digest's id, the same at every attempt.
        language: As in `render`.
        time_zone: As in `render`.
        channel: As in `render`.
        unsubscribe: As in `render`.
    """
    raise NotImplementedError
