"""SMTP with a real mail server."""

import asyncio
import ssl
import time
from collections.abc import Iterator

import pytest
from aiosmtplib import SMTP, SMTPException
from pydantic import SecretStr

from account_alerts.config import Config
from delivery.gateways.base import Gateway, Outcome, Result
from devenv.fake_gateways import received
from devenv.fake_gateways.files import files
from devenv.services.catalog import MAILBOX
from tests.component.gateway_harness import (
    converse,
    items_with_key,
    new_message,
    override,
    running,
    send,
    send_until_taken,
)
from tests.component.programs import Programs

pytestmark = pytest.mark.environment


@pytest.fixture(scope="module")
def config(programs: Programs) -> Iterator[Config]:
    """Run a mail server; returns the configuration of a sender."""
    with running(programs, MAILBOX) as own:
        yield own


def test_a_mail_arrives_as_it_was_written(config: Config) -> None:
    message = new_message(
        "Anna.1@example.com",
        title="Saldo unter 100,00\u00a0€",
        text="Grüße\n.\nEnde",
        html="<p>Grüße</p>",
        unsubscribe="https://bank.example/stop?token=abc",
    )
    [outcome] = send(config, "EMAIL", message)
    assert outcome.result is Result.SENT
    assert outcome.reference
    [file] = received.mailbox_files(config, "anna.1@example.com")
    mail = received.read_mail(file)
    assert mail["Subject"].replace("\u00a0", " ") == "Saldo unter 100,00 €"
    assert mail["Message-ID"] == f"<{message.key}@bank.example>"
    assert mail["List-Unsubscribe"].strip() == "<https://bank.example/stop?token=abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [item] = items_with_key(config, "mail", message)
    assert item.text == "Grüße\n.\nEnde\n"
    assert 0 <= time.time() * 1000 - item.arrived_at < 60_000


def test_a_mail_to_an_address_with_an_umlaut(config: Config) -> None:
    message = new_message("jürgen@example.com")
    assert send(config, "EMAIL", message)[0].result is Result.SENT
    assert len(items_with_key(config, "mail", message)) == 1


@pytest.mark.parametrize(
    ("address", "result", "reason"),
    [
        ("x@refused.example", Result.REJECTED, "SMTP 550 5.1.1"),
        ("x@nowhere.example", Result.REJECTED, "SMTP 556 5.1.10"),
        ("x@busy.example", Result.RETRY, "SMTP 451 4.3.2"),
        ("x@example.com\r\nRCPT TO:<y@example.com>", Result.REJECTED, "no mail address"),
    ],
)
def test_a_mail_that_is_not_taken(config: Config, address: str, result: Result, reason: str) -> None:
    fine = new_message("b@example.com")
    first, second = send(config, "EMAIL", new_message(address), fine)
    assert (first.result, first.reason, first.gateway_down) == (result, reason, False)
    # The same connection goes on.
    assert second.result is Result.SENT


def test_a_mail_server_that_is_not_trusted_gets_nothing(config: Config) -> None:
    [outcome] = send(override(config, ca_file=None), "EMAIL", new_message("c@example.com"))
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


def test_a_wrong_password_is_the_gateways_fault(config: Config) -> None:
    [outcome] = send(
        override(config, "email", password=SecretStr("wrong")), "EMAIL", new_message("d@example.com")
    )
    assert (outcome.result, outcome.gateway_down) == (Result.RETRY, True)


def test_the_mail_server_wants_tls(config: Config) -> None:
    async def plain() -> None:
        client = SMTP(hostname="localhost", port=config.local_environment().mailbox_port, start_tls=False)
        await client.connect()
        await client.ehlo()
        await client.mail("a@b.example")

    with pytest.raises(SMTPException, match="STARTTLS"):
        asyncio.run(plain())


def test_many_mails_at_a_time(config: Config) -> None:
    messages = [new_message("many@example.com") for _ in range(100)]

    async def conversation(gateway: Gateway) -> list[Outcome]:
        return await asyncio.gather(*(gateway.send(message) for message in messages))

    outcomes = converse(config, "EMAIL", conversation)
    assert {outcome.result for outcome in outcomes} == {Result.SENT}
    keys = [item.key for item in received.items(config, "mail", "many@example.com")]
    assert sorted(keys) == sorted(message.key for message in messages)


def test_a_mail_server_that_is_killed(config: Config, programs: Programs) -> None:
    message, later = new_message("killed@example.com"), new_message("killed@example.com")

    async def conversation(gateway: Gateway) -> list[Outcome]:
        assert (await gateway.send(message)).result is Result.SENT
        programs.stop("mailbox")
        away = await gateway.send(later)
        programs.start(MAILBOX)
        # The answer to the first was lost, as far as a sender knows that was killed.
        return [away, *await send_until_taken(gateway, later), *await send_until_taken(gateway, message)]

    outcomes = converse(config, "EMAIL", conversation)
    assert (outcomes[0].result, outcomes[0].gateway_down) == (Result.RETRY, True)
    assert [len(items_with_key(config, "mail", each)) for each in (message, later)] == [1, 1]


def test_the_servers_certificate_is_for_nobody_else(config: Config) -> None:
    context = ssl.create_default_context(cafile=str(files(config).certificate))
    assert context.check_hostname
    assert oct(files(config).keys.stat().st_mode)[-3:] == "600"
    assert oct(files(config).variables.stat().st_mode)[-3:] == "600"
