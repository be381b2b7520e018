"""The tables of answers: each line has a source, and what is not listed ends no alert by itself."""

from collections.abc import Iterable

import pytest

from delivery.gateways import http_answers
from delivery.gateways.base import Result
from delivery.gateways.email import smtp_answers
from delivery.gateways.email.smtp_answers import Stage, enhanced_code
from delivery.gateways.outcomes import DEVICE_GONE, About, Meaning, outcome
from delivery.gateways.push import apns_answers, fcm_answers, web_push_answers
from delivery.gateways.sms import http_answers as sms_http_answers
from delivery.gateways.sms import smpp_answers

TABLES: dict[str, Iterable[Meaning]] = {
    "HTTP": http_answers.STATUSES.values(),
    "SMTP, about us": smtp_answers.OURS.values(),
    "SMTP, enhanced": smtp_answers.ENHANCED.values(),
    "SMTP, basic": smtp_answers.BASIC.values(),
    "SMPP": smpp_answers.STATUSES.values(),
    "SMS over HTTP": sms_http_answers.STATUSES.values(),
    "Web Push": web_push_answers.STATUSES.values(),
    "FCM": fcm_answers.CODES.values(),
    "APNs": [*apns_answers.REASONS.values(), *apns_answers.STATUSES.values()],
}


@pytest.mark.parametrize("name", TABLES)
def test_each_line_has_its_source(name: str) -> None:
    assert all(meaning.source for meaning in TABLES[name])


@pytest.mark.parametrize(
    ("about", "result", "down", "doubtful", "gone"),
    [
        (About.MESSAGE, Result.REJECTED, False, False, False),
        (About.ADDRESS, Result.REJECTED, False, False, False),
        (About.GONE, Result.REJECTED, False, False, True),
        (About.LATER, Result.RETRY, False, False, False),
        (About.US, Result.RETRY, True, False, False),
        (About.MISMATCH, Result.RETRY, True, True, False),
        (About.UNKNOWN, Result.RETRY, False, True, False),
    ],
)
def test_only_an_answer_about_message_or_address_ends_an_alert(
    about: About, result: Result, down: bool, doubtful: bool, gone: bool
) -> None:
    found = outcome(about, "why", after=2.0 if result is Result.RETRY else None)
    assert (found.result, found.gateway_down, found.doubtful, found.gone) == (result, down, doubtful, gone)
    assert found.reason == (DEVICE_GONE if gone else "why")
    assert found.retry_after == (2.0 if result is Result.RETRY else None)


@pytest.mark.parametrize(
    ("stage", "answer", "about"),
    [
        # A relay that refuses us, in the words of Postfix, Exim, qmail, Gmail and Exchange.
        (Stage.RECIPIENT, "554 5.7.1 <x@y.example>: Relay access denied", About.US),
        (Stage.RECIPIENT, "554 5.7.1 <[10.1.2.3]>: Client host rejected: blocked", About.US),
        (Stage.RECIPIENT, "553 5.7.1 <a@bank.example>: Sender address rejected: not owned", About.US),
        (Stage.RECIPIENT, "553 sorry, that domain isn't in my list (#5.7.1)", About.US),
        (Stage.RECIPIENT, "550 5.4.5 Daily user sending limit exceeded", About.US),
        (Stage.RECIPIENT, "550 5.7.1 Unable to relay", About.US),
        (Stage.RECIPIENT, "521 does not accept mail", About.US),
        (Stage.RECIPIENT, "530 5.7.0 Must issue a STARTTLS command first", About.US),
        (Stage.RECIPIENT, "503 5.5.1 Error: need MAIL command", About.US),
        (Stage.RECIPIENT, "554 5.1.8 sender domain not found", About.US),
        (Stage.DATA, "554 transaction failed", About.US),
        (Stage.DATA, "552 5.3.1 mail system full", About.US),
        (Stage.DATA, "550 5.7.26 unauthenticated mail", About.US),
        (Stage.SENDER, "550 5.1.1 no", About.US),
        (Stage.SENDER, "451 4.7.1 try again later", About.US),
        (Stage.DATA, "421 4.3.2 closing", About.US),
        (Stage.RECIPIENT, "454 4.7.0 TLS not available", About.US),
        # The address's own.
        (Stage.RECIPIENT, "550 5.1.1 no such user", About.ADDRESS),
        (Stage.RECIPIENT, "550 no mailbox (#5.1.1)", About.ADDRESS),
        (Stage.RECIPIENT, "550 5.1.1.", About.ADDRESS),
        (Stage.RECIPIENT, "550 no mailbox: 5.1.1.", About.ADDRESS),
        (Stage.RECIPIENT, "552 5.2.2 mailbox full", About.ADDRESS),
        (Stage.RECIPIENT, "556 5.1.10 null MX", About.ADDRESS),
        (Stage.RECIPIENT, "556 domain accepts no mail", About.ADDRESS),
        (Stage.RECIPIENT, "550 5.7.17 mailbox owner has changed", About.ADDRESS),
        (Stage.RECIPIENT, "553 5.6.7 no UTF-8 address here", About.ADDRESS),
        # The mail's own.
        (Stage.DATA, "552 5.3.4 message too big", About.MESSAGE),
        (Stage.DATA, "554 5.6.0 not valid", About.MESSAGE),
        # What may be either.
        (Stage.RECIPIENT, "550 relay not permitted", About.UNKNOWN),
        (Stage.RECIPIENT, "550 blocked: 5.1.1.7 is listed", About.UNKNOWN),
        (Stage.RECIPIENT, "550 5.0.0 no", About.UNKNOWN),
        (Stage.RECIPIENT, "553 no", About.UNKNOWN),
        (Stage.RECIPIENT, "577 no", About.UNKNOWN),
        (Stage.RECIPIENT, "550 5.9.9 no", About.UNKNOWN),
        (Stage.RECIPIENT, "450 4.2.0 greylisted", About.LATER),
        (Stage.DATA, "452 4.3.1 storage", About.LATER),
    ],
)
def test_what_an_answer_of_a_mail_server_is_about(stage: Stage, answer: str, about: About) -> None:
    code, _, text = answer.partition(" ")
    assert smtp_answers.meaning(stage, int(code), enhanced_code(text)).about is about


@pytest.mark.parametrize(
    ("status", "about"),
    [
        *((status, About.US) for status in (0x0A, 0x0E, 0x15, 0x43, 0x62, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4)),
        *((status, About.LATER) for status in (0x08, 0x14, 0x45, 0x58, 0x64, 0xFF)),
        (0x01, About.MESSAGE),
        (0x0B, About.ADDRESS),
        (0x65, About.UNKNOWN),
        (0x400, About.UNKNOWN),
    ],
)
def test_what_a_status_of_an_smsc_is_about(status: int, about: About) -> None:
    assert smpp_answers.meaning(status).about is about


def test_what_a_status_of_http_is_about() -> None:
    for status in (301, 308, 401, 402, 403, 404, 405, 407, 415, 426, 501, 502, 503, 504, 511):
        assert http_answers.meaning(status, {}).about is About.US
    for status in (408, 425, 429, 500, 599):
        assert http_answers.meaning(status, {}).about is About.LATER
    for status in (400, 418, 422, 499):
        assert http_answers.meaning(status, {}).about is About.UNKNOWN
