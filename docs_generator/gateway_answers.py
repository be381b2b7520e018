"""The reference of what each gateway's answers are about."""

from collections.abc import Callable, Mapping
from typing import Any

from delivery.gateways import http_answers
from delivery.gateways.email import smtp_answers
from delivery.gateways.outcomes import About, Meaning
from delivery.gateways.push import apns_answers, fcm_answers, web_push_answers
from delivery.gateways.sms import http_answers as sms_http_answers
from delivery.gateways.sms import smpp_answers
from docs_generator.markdown import page, paragraph, sentence, table

_INTRODUCTION = (
    "A gateway's no may be about the message, about the address, or about the bank: its key, quota, "
    "configuration or clock. [Delivery](../concepts/delivery.md) says what follows from each."
)
_TABLES: list[tuple[str, str, Mapping[Any, Meaning], Callable[[Any], str]]] = [
    (
        "SMTP",
        "Whatever else the answer says; so is any refusal of the sender (MAIL)",
        smtp_answers.OURS,
        str,
    ),
    (
        "SMTP: enhanced status codes",
        "Of permanent answers to the recipient or the mail; `5.7` stands for all that begin so",
        smtp_answers.ENHANCED,
        lambda code: f"5.{code}",
    ),
    (
        "SMTP: without such a code",
        "Any other permanent answer is about the address or us, any other transient one passes",
        smtp_answers.BASIC,
        str,
    ),
    (
        "SMPP",
        "`command_status`. Any other, such as a vendor's own, is about the address or us",
        smpp_answers.STATUSES,
        lambda status: f"0x{status:02X}",
    ),
    (
        "HTTP",
        "For all gateways that speak HTTP, where their own table says nothing. Any other 4xx is about the "
        "address or us, any other 5xx passes, a redirection is about us",
        http_answers.STATUSES,
        str,
    ),
    (
        "SMS over HTTP",
        "`senders.sms.http.codes` comes first. A yes with a body that does not name the message is about "
        "the address or us",
        sms_http_answers.STATUSES,
        str,
    ),
    ("Web Push", "", web_push_answers.STATUSES, str),
    (
        "FCM",
        "Its own code, else the general status. `INVALID_ARGUMENT` that names the field `message.token` "
        "alone is a device that is gone",
        fcm_answers.CODES,
        str,
    ),
    ("APNs", "By the reason; 410 is a device that is gone whatever it says", apns_answers.REASONS, str),
]


def gateway_answers() -> str:
    """Write the page of all answers."""
    blocks = [paragraph(_INTRODUCTION), _legend()]
    for name, note, meanings, write in _TABLES:
        rows = [(f"`{write(key)}`", each.about.value, each.source) for key, each in meanings.items()]
        blocks += [
            f"## {name}",
            paragraph(sentence(note)),
            table(("answer", "is about", "source"), [*rows]),
        ]
    return page("Gateways' answers", *blocks)


_CONSEQUENCES = {
    About.MESSAGE: "rejected, and a dead letter",
    About.ADDRESS: "rejected, and a dead letter",
    About.GONE: "rejected; no dead letter",
    About.LATER: "tried again, with a pause that grows",
    About.US: "the gateway counts as down: all its alerts wait, one probes it, none is given up",
    About.MISMATCH: "the same, but rejected where the gateway takes others meanwhile",
    About.UNKNOWN: "tried again; rejected where the gateway takes others meanwhile, and as if about us where "
    "five alerts in a row are answered so",
}


def _legend() -> str:
    return table(
        ("about", "then"), [(about.value, consequence) for about, consequence in _CONSEQUENCES.items()]
    )
