"""What the answers of a Web Push service mean."""

from collections.abc import Mapping

from delivery.gateways import http_answers
from delivery.gateways.outcomes import About, Meaning

STATUSES: Mapping[int, Meaning] = {
    301: Meaning(About.UNKNOWN, "RFC 9110, 15.4.2: moved; the address is the subscription's own"),
    302: Meaning(About.UNKNOWN, "RFC 9110, 15.4.3: found elsewhere"),
    307: Meaning(About.UNKNOWN, "RFC 9110, 15.4.8: redirected for now"),
    308: Meaning(About.UNKNOWN, "RFC 9110, 15.4.9: moved for good"),
    400: Meaning(About.UNKNOWN, "RFC 9110, 15.5.1: the request, or the subscription's keys"),
    401: Meaning(About.US, "RFC 8292, 4.2: the signature, its subject or our clock"),
    403: Meaning(About.MISMATCH, "RFC 8292, 4.2: the VAPID key is not the subscription's, or not valid"),
    404: Meaning(About.GONE, "RFC 8030, 7.3: the subscription has expired"),
    410: Meaning(About.GONE, "RFC 9110, 15.5.11; push services say so of a subscription that is gone"),
    413: Meaning(About.MESSAGE, "RFC 8030, 7.2: the content is too large"),
    429: Meaning(About.LATER, "RFC 8030, 8.4: rate limited"),
}


def meaning(status: int) -> Meaning:
    """Say what a status other than 2xx is about."""
    return http_answers.meaning(status, STATUSES)
