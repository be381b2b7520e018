"""E-mail: SMTP submission over connections that stay open."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import aiosmtplib
from aiosmtplib import SMTP

from account_alerts.config.gateways import Email
from delivery.gateways.base import Gateway, Message, Outcome, Result
from delivery.gateways.email.mail import compose, is_address, needs_utf8
from delivery.gateways.email.smtp_answers import Stage, enhanced_code, meaning
from delivery.gateways.outcomes import outcome, retry, unsendable
from delivery.gateways.tls import tls_context

_CLOSING = 421
_STAGES: Mapping[type[aiosmtplib.SMTPResponseException], Stage] = {
    aiosmtplib.SMTPSenderRefused: Stage.SENDER,
    aiosmtplib.SMTPRecipientRefused: Stage.RECIPIENT,
}
"""What else is answered is the mail itself."""


class SmtpGateway(Gateway):
    """Sends mails to one server; a server that has taken a mail gives no receipts.

    The Message-ID follows from the message's key: where an answer was lost and a mail is sent again,
    a server that drops repeats by it, and mail programs that do, show it once.
    """

    def __init__(self, config: Email, ca_file: Path | None = None) -> None:
        """Prepare; connections are made when they are needed."""
        self._config = config
        self._tls = tls_context(ca_file)
        self._idle: list[SMTP] = []
        self._slots = asyncio.Semaphore(config.connections)
        self._closed = False

    async def open(self) -> None:
        """Make one connection, so that the first mail need not wait for it."""
        try:
            self._idle.append(await self._connect())
        except (aiosmtplib.SMTPException, OSError):
            return  # The first mail will tell.

    async def send(self, message: Message) -> Outcome:
        """Send one mail."""
        if not is_address(message.address):
            return unsendable("no mail address")
        async with self._slots:
            try:
                client = await self._connection()
            except aiosmtplib.SMTPException as error:
                return retry(_reason(error), down=True)
            except OSError as error:
                return retry(f"no connection: {type(error).__name__}", down=True)
            result, usable = await self._submit(client, message)
            if usable and not self._closed:
                self._idle.append(client)
            else:
                client.close()
            return result

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit(timeout=1)
            except (aiosmtplib.SMTPException, OSError):
                client.close()

    async def _connection(self) -> SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected:
                return client
            client.close()
        return await self._connect()

    async def _connect(self) -> SMTP:
        config = self._config
        client = SMTP(
            hostname=config.host,
            port=config.port,
            timeout=config.timeout / 1000,
            use_tls=config.tls == "tls",
            start_tls=config.tls == "starttls",
            tls_context=None if config.tls == "none" else self._tls,
            username=None if config.username is None else config.username.get_secret_value(),
            password=None if config.password is None else config.password.get_secret_value(),
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await _greet(client)
        except BaseException:
            client.close()
            raise
        return client

    async def _submit(self, client: SMTP, message: Message) -> tuple[Outcome, bool]:
        """Return the outcome, and whether the connection can be used again."""
        utf8 = needs_utf8(message.address)
        if utf8 and not client.supports_extension("smtputf8"):
            return unsendable("the server takes no such address (SMTPUTF8)"), True
        encoding, options = ("utf-8", ["SMTPUTF8"]) if utf8 else ("ascii", [])
        sender = self._config.sender.rpartition("<")[2].rstrip("> ")
        try:
            await client.mail(sender, options=options, encoding=encoding)
            await client.rcpt(message.address, encoding=encoding)
            response = await client.data(compose(message, self._config.sender))
        except aiosmtplib.SMTPResponseException as error:
            return _answer(error), await _reset(client, error.code)
        except aiosmtplib.SMTPException as error:
            return retry(_reason(error), down=True), False
        except OSError as error:
            return retry(type(error).__name__, down=True), False
        return Outcome(Result.SENT, reference=_queue_id(response.message)), True


async def _greet(client: SMTP) -> None:
    """Say EHLO: a server names its extensions then only, and anew after STARTTLS (RFC 3207, 4.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()  # It has no extensions.


def _answer(error: aiosmtplib.SMTPResponseException) -> Outcome:
    stage = _STAGES.get(type(error), Stage.DATA)
    return outcome(meaning(stage, error.code, enhanced_code(error.message)).about, _reason(error))


def _reason(error: Exception) -> str:
    """Say what went wrong, without the server's text, in which the address may be."""
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return type(error).__name__
    return " ".join(filter(None, (f"SMTP {error.code}", enhanced_code(error.message))))


def _queue_id(text: str) -> str | None:
    """Return the server's name for the mail, as most give it: `2.0.0 Ok: queued as 4F2A`."""
    found = re.search(r"(?:queued as|id=)\s*([\w.@-]{1,100})", text)
    return found[1] if found else None


async def _reset(client: SMTP, code: int) -> bool:
    if code == _CLOSING or not client.is_connected:
        return False
    try:
        await client.rset()
    except (aiosmtplib.SMTPException, OSError):
        return False
    return True
