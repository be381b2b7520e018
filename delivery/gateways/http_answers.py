"""What the statuses of HTTP mean to any gateway, where its own table does not say otherwise."""

from collections.abc import Mapping

from delivery.gateways.outcomes import About, Meaning

_REDIRECTS = Meaning(About.US, "RFC 9110, 15.4: redirection: the configured address is not the right one")

STATUSES: Mapping[int, Meaning] = {
    400: Meaning(About.UNKNOWN, "RFC 9110, 15.5.1: bad request"),
    401: Meaning(About.US, "RFC 9110, 15.5.2: unauthorized"),
    402: Meaning(About.US, "RFC 9110, 15.5.3: payment required, as vendors say that no credit is left"),
    403: Meaning(About.US, "RFC 9110, 15.5.4: forbidden"),
    404: Meaning(About.US, "RFC 9110, 15.5.5: not found: the configured address"),
    405: Meaning(About.US, "RFC 9110, 15.5.6: method not allowed"),
    406: Meaning(About.US, "RFC 9110, 15.5.7: not acceptable"),
    407: Meaning(About.US, "RFC 9110, 15.5.8: proxy authentication required"),
    408: Meaning(About.LATER, "RFC 9110, 15.5.9: request timeout"),
    410: Meaning(About.US, "RFC 9110, 15.5.11: gone: the configured address"),
    411: Meaning(About.US, "RFC 9110, 15.5.12: length required"),
    413: Meaning(About.MESSAGE, "RFC 9110, 15.5.14: content too large"),
    414: Meaning(About.US, "RFC 9110, 15.5.15: URI too long"),
    415: Meaning(About.US, "RFC 9110, 15.5.16: unsupported media type"),
    417: Meaning(About.US, "RFC 9110, 15.5.18: expectation failed"),
    421: Meaning(About.US, "RFC 9110, 15.5.20: misdirected request"),
    425: Meaning(About.LATER, "RFC 8470, 5.2: too early"),
    426: Meaning(About.US, "RFC 9110, 15.5.22: upgrade required"),
    429: Meaning(About.LATER, "RFC 6585, 4: too many requests"),
    431: Meaning(About.US, "RFC 6585, 5: header fields too large"),
    501: Meaning(About.US, "RFC 9110, 15.6.2: not implemented"),
    502: Meaning(About.US, "RFC 9110, 15.6.3: bad gateway"),
    503: Meaning(About.US, "RFC 9110, 15.6.4: service unavailable"),
    504: Meaning(About.US, "RFC 9110, 15.6.5: gateway timeout"),
    505: Meaning(About.US, "RFC 9110, 15.6.6: version not supported"),
    511: Meaning(About.US, "RFC 6585, 6: network authentication required"),
}
SERVER_ERROR = Meaning(About.LATER, "RFC 9110, 15.6: any other error of the server")
DEFAULT = Meaning(About.UNKNOWN, "RFC 9110, 15.5: any other status")


def meaning(status: int, own: Mapping[int, Meaning]) -> Meaning:
    """Say what a status other than 2xx is about; `own` is the gateway's table, which comes first."""
    if found := own.get(status) or STATUSES.get(status):
        return found
    if 300 <= status < 400:
        return _REDIRECTS
    return SERVER_ERROR if status >= 500 else DEFAULT
