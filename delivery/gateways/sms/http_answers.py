"""What the answers of an SMS gateway over HTTP mean, where they mean more than to any gateway.

Vendors differ: `senders.sms.http.codes` comes before this table.
"""

from collections.abc import Mapping

from delivery.gateways import http_answers
from delivery.gateways.outcomes import About, Meaning

_KEY = "draft-ietf-httpapi-idempotency-key-header, 2.7"

STATUSES: Mapping[int, Meaning] = {
    409: Meaning(About.LATER, f"{_KEY}: another attempt with this key is under way"),
    422: Meaning(About.UNKNOWN, f"{_KEY}; RFC 9110, 15.5.21: unprocessable content"),
}
WITHOUT_ID = Meaning(About.UNKNOWN, "senders.sms.http.id_field: a yes that does not name the message")
"""Vendors also answer 200 to what they do not take, and say so in the body."""
OTHER_CODE = Meaning(About.UNKNOWN, "senders.sms.http.codes: a yes with a code that is not listed")

_CONFIGURED = {
    "message": About.MESSAGE,
    "address": About.ADDRESS,
    "later": About.LATER,
    "us": About.US,
}


def meaning(status: int, code: str | None, codes: Mapping[str, str], *, named: bool) -> Meaning | None:
    """Say what an answer is about; None where the message is taken.

    Args:
        status: HTTP's.
        code: The vendor's own, if the answer has one.
        codes: What the configuration says of both.
        named: Whether the answer names the message, or has no body that could.
    """
    configured = codes.get(code or "") or codes.get(str(status))
    if configured == "taken":
        return None
    if configured is not None:
        return Meaning(_CONFIGURED[configured], "senders.sms.http.codes")
    if not 200 <= status < 300:
        return http_answers.meaning(status, STATUSES)
    if code is not None:
        return OTHER_CODE
    return None if named else WITHOUT_ID
