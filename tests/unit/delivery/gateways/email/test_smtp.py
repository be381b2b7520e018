"""Mails to a real mail server, and what its answers mean."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from account_alerts.config.gateways import Email
from delivery.gateways.base import Outcome, Result
from delivery.gateways.email.smtp import SmtpGateway
from devenv.fake_gateways import secrets
from devenv.fake_gateways.files import Files
from devenv.fake_gateways.serving import server_tls
from tests.unit.delivery.fakes import run
from tests.unit.delivery.gateways.messages import new_message


class Relay:
    """A mail server that answers as it is told; the rest is taken."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[str] = []
        self.greetings = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls them so.
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greetings += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.taken += envelope.rcpt_tos
        return "250 2.0.0 Ok: queued as 1"


@asynccontextmanager
async def serving(relay: Relay, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve; yields the port."""

    def session() -> SMTP:
        return SMTP(relay, hostname="localhost", enable_SMTPUTF8=True, tls_context=tls)

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def send(relay: Relay, *addresses: str, folder: Path | None = None) -> list[Outcome]:
    """Send mails over one connection, with STARTTLS where there is a folder for a certificate."""
    outcomes: list[Outcome] = []
    options: dict[str, Any] = {"tls": "none", "host": "127.0.0.1"}
    ca_file, tls = None, None
    if folder is not None:
        own = Files(folder)
        secrets._make_certificate(own)
        ca_file, tls = own.certificate, server_tls(own)
        options["tls"] = "starttls"

    async def conversation() -> None:
        async with serving(relay, tls) as port:
            gateway = SmtpGateway(Email(port=port, sender="a@bank.example", **options), ca_file)
            for address in addresses:
                outcomes.append(await gateway.send(new_message(address=address)))
            await gateway.close()

    run(conversation)
    return outcomes


@pytest.mark.parametrize("starttls", [False, True])
def test_the_first_mail_of_a_connection_may_go_to_an_address_with_an_umlaut(
    starttls: bool, tmp_path: Path
) -> None:
    relay = Relay()
    outcomes = send(relay, "jürgen@example.com", "b@example.com", folder=tmp_path if starttls else None)
    assert [outcome.result for outcome in outcomes] == [Result.SENT, Result.SENT]
    assert relay.taken == ["jürgen@example.com", "b@example.com"]
    assert relay.greetings == (2 if starttls else 1)  # Of a connection, not of a mail.


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        ("MAIL", "550 5.7.1", "sender not allowed"),
        ("RCPT", "554 5.7.1", "Relay access denied"),
        ("RCPT", "553 5.7.1", "Sender address rejected: not owned by user"),
        ("RCPT", "550 5.4.5", "Daily quota exceeded"),
        ("RCPT", "521", "does not accept mail"),
        ("DATA", "554 5.7.1", "no"),
        ("DATA", "552 5.3.1", "system full"),
        ("DATA", "550 5.7.26", "unauthenticated"),
    ],
)
def test_a_relay_that_refuses_us_is_down_and_no_mail_is_given_up(command: str, code: str, text: str) -> None:
    [outcome] = send(Relay(**{command: f"{code} {text}"}), "a@example.com")
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)
    assert outcome.reason == f"SMTP {code}"


@pytest.mark.parametrize(
    ("command", "answer", "result", "doubtful"),
    [
        ("RCPT", "550 5.1.1 no such user", Result.REJECTED, False),
        ("RCPT", "550 no such user, or no relaying", Result.RETRY, True),
        ("DATA", "552 5.3.4 too big", Result.REJECTED, False),
        ("RCPT", "450 4.2.0 greylisted", Result.RETRY, False),
    ],
)
def test_what_is_not_about_us_stops_nobody(command: str, answer: str, result: Result, doubtful: bool) -> None:
    outcomes = send(Relay(**{command: answer}), "a@example.com", "b@example.com")
    for outcome in outcomes:
        assert (outcome.result, outcome.gateway_down, outcome.doubtful) == (result, False, doubtful)
        assert "example.com" not in (outcome.reason or "")
