"""What the answers of a mail server mean: RFC 5321, and the enhanced status codes (RFC 3463, RFC 5248)."""

import re
from collections.abc import Mapping
from enum import Enum

from delivery.gateways.outcomes import About, Meaning

_LEADING = re.compile(r"\s*([245])\.(\d{1,3}\.\d{1,3})(?!\d|\.\d)")
"""Where RFC 2034 puts it: in front of the text."""
_HIDDEN = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?!\d|\.\d)")
"""Where others put it, such as `(#5.7.1)`; no part of an IP address."""

_CLOSING = 421


class Stage(Enum):
    """The command that was answered."""

    SENDER = "MAIL"
    RECIPIENT = "RCPT"
    DATA = "DATA"


OURS: Mapping[int, Meaning] = {
    _CLOSING: Meaning(About.US, "RFC 5321, 4.2.3: the service closes"),
    454: Meaning(About.US, "RFC 3207, 4; RFC 4954, 6: TLS or log-in not available now"),
    502: Meaning(About.US, "RFC 5321, 4.2.3: command not implemented"),
    503: Meaning(About.US, "RFC 5321, 4.2.3: bad sequence of commands"),
    521: Meaning(About.US, "RFC 7504, 3: the host accepts no mail"),
    525: Meaning(About.US, "RFC 5248 (X.7.13): the sender's account is disabled"),
    530: Meaning(About.US, "RFC 4954, 6; RFC 3207, 4: log-in or TLS required"),
    534: Meaning(About.US, "RFC 4954, 6: the mechanism is too weak"),
    535: Meaning(About.US, "RFC 4954, 6: credentials invalid"),
    538: Meaning(About.US, "RFC 4954, 6: encryption required for the mechanism"),
}
"""Statuses that are about us whatever else the answer says."""

ENHANCED: Mapping[str, Meaning] = {
    "1": Meaning(About.ADDRESS, "RFC 3463, 3.2: addressing"),
    "1.7": Meaning(About.US, "RFC 3463, 3.2: bad sender address syntax"),
    "1.8": Meaning(About.US, "RFC 3463, 3.2: bad sender system address"),
    "2": Meaning(About.ADDRESS, "RFC 3463, 3.3: mailbox"),
    "2.3": Meaning(About.MESSAGE, "RFC 3463, 3.3: longer than the mailbox takes"),
    "3": Meaning(About.US, "RFC 3463, 3.4: mail system"),
    "3.4": Meaning(About.MESSAGE, "RFC 3463, 3.4: message too big for the system"),
    "4": Meaning(About.US, "RFC 3463, 3.5: network and routing; some servers tell quotas so"),
    "5": Meaning(About.UNKNOWN, "RFC 3463, 3.6: protocol"),
    "5.1": Meaning(About.US, "RFC 3463, 3.6: invalid command"),
    "5.3": Meaning(About.US, "RFC 3463, 3.6: too many recipients, though there is one"),
    "5.5": Meaning(About.US, "RFC 3463, 3.6: wrong protocol version"),
    "5.6": Meaning(About.US, "RFC 4954, 6: authentication exchange line too long"),
    "6": Meaning(About.MESSAGE, "RFC 3463, 3.7: content or media"),
    "6.7": Meaning(About.ADDRESS, "RFC 6531, 3.5: non-ASCII addresses not permitted"),
    "6.9": Meaning(About.ADDRESS, "RFC 6531, 3.5: the recipient's system lacks UTF-8"),
    "7": Meaning(About.US, "RFC 3463, 3.8; RFC 7372: security or policy: relaying, DKIM, SPF, log-in"),
    "7.2": Meaning(About.ADDRESS, "RFC 3463, 3.8: may not post to this list"),
    "7.16": Meaning(About.MESSAGE, "RFC 6710: too big for its priority"),
    "7.17": Meaning(About.ADDRESS, "RFC 7293: the mailbox has changed hands"),
    "7.18": Meaning(About.ADDRESS, "RFC 7293: the domain has changed hands"),
    "7.19": Meaning(About.ADDRESS, "RFC 7293: the mailbox's owner cannot be checked"),
}
"""Details of permanent answers, without their first number; a subject alone stands for its other details."""

BASIC: Mapping[int, Meaning] = {
    500: Meaning(About.US, "RFC 5321, 4.2.3: command not recognized"),
    501: Meaning(About.UNKNOWN, "RFC 5321, 4.2.3: syntax error in parameters"),
    504: Meaning(About.UNKNOWN, "RFC 5321, 4.2.3: parameter not implemented"),
    550: Meaning(About.UNKNOWN, "RFC 5321, 4.2.3: no such mailbox, no access, or policy"),
    551: Meaning(About.ADDRESS, "RFC 5321, 4.2.3: user not local"),
    552: Meaning(About.UNKNOWN, "RFC 5321, 4.2.3; RFC 1870, 6: storage exceeded, or too big"),
    553: Meaning(About.UNKNOWN, "RFC 5321, 4.2.3: name not allowed; some refuse relaying so"),
    554: Meaning(About.US, "RFC 5321, 4.2.3: transaction failed, no service here"),
    555: Meaning(About.US, "RFC 5321, 4.2.3: parameters not implemented"),
    556: Meaning(About.ADDRESS, "RFC 7504, 4: the domain accepts no mail"),
}
"""Permanent answers without a detail."""

DEFAULT = Meaning(About.UNKNOWN, "RFC 5321, 4.2.1: any other permanent answer")
PASSING = Meaning(About.LATER, "RFC 5321, 4.2.1: any other transient answer")
SENDER = Meaning(About.US, "RFC 5321, 3.3: the sender is refused, before anybody is addressed")


def enhanced_code(text: str) -> str | None:
    """Return the enhanced status code of an answer, such as `5.1.1`; None where it has none."""
    found = _LEADING.match(text) or _HIDDEN.search(text)
    return found and f"{found[1]}.{found[2]}"


def meaning(stage: Stage, code: int, enhanced: str | None) -> Meaning:
    """Say what an answer other than yes is about."""
    if code in OURS:
        return OURS[code]
    if stage is Stage.SENDER:
        return SENDER
    if code < 500:
        return PASSING
    detail = "" if enhanced is None else enhanced[2:]
    subject = detail.partition(".")[0]
    return ENHANCED.get(detail) or ENHANCED.get(subject) or BASIC.get(code, DEFAULT)
