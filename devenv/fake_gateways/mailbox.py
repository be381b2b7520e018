"""The local mail server: SMTP with STARTTLS and log-in; keeps mails in a Maildir for each address.

A mail that comes again, by its Message-ID, is taken and not kept twice, as many mail servers do; not so with
`--keep-duplicates` in the command line.
"""

import asyncio
import hashlib
import hmac
import logging
import os
import socket
import ssl
import sys
import uuid
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from account_alerts.config import Config
from devenv.fake_gateways.files import files
from devenv.fake_gateways.journal import now
from devenv.fake_gateways.serving import server_tls

ARRIVED = "X-Arrived-At"
"""The header that says when a mail came: milliseconds UTC."""
_LONGEST_NAME = 200


class Mailboxes:
    """Takes mails and keeps them."""

    def __init__(self, folder: Path, *, keep_duplicates: bool) -> None:
        """Keep a Maildir for each address in the folder."""
        self._folder = folder
        self._keep_duplicates = keep_duplicates

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, but for those of a failing domain."""
        domain = address.rpartition("@")[2].lower()
        if domain == "refused.example":
            return "550 5.1.1 No such user"
        if domain == "nowhere.example":
            return "556 5.1.10 Recipient address has null MX"
        if domain == "busy.example":
            return "451 4.3.2 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail for each of its recipients."""
        content = envelope.content
        assert isinstance(content, bytes)  # Asked for by decode_data=False.
        name = uuid.uuid4().hex if self._keep_duplicates else _name(content)
        for address in envelope.rcpt_tos:
            self._keep(address, name, content)
        return f"250 2.0.0 OK: queued as {name[:16]}"

    def _keep(self, address: str, name: str, content: bytes) -> None:
        maildir = self._folder / mailbox_name(address)
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        draft, kept = maildir / "tmp" / uuid.uuid4().hex, maildir / "new" / name
        head = f"Delivered-To: {address}\r\n{ARRIVED}: {now()}\r\n"
        draft.write_bytes(head.encode() + content)
        try:
            os.link(draft, kept)  # At once, and only if it is not there.
        except FileExistsError:
            pass
        finally:
            draft.unlink()


def mailbox_name(address: str) -> str:
    """Return the name of an address's folder."""
    name = quote(address.lower(), safe="@+ ").replace(".", "%2E", 1 if address.startswith(".") else 0)
    return name if len(name) <= _LONGEST_NAME else hashlib.sha256(address.lower().encode()).hexdigest()


def _name(content: bytes) -> str:
    """Return a name that is the same for the same Message-ID; for a mail without one, for the same mail."""
    head = content[: content.find(b"\r\n\r\n") + 4]
    message_id = message_from_bytes(head, policy=default).get("Message-ID")
    return hashlib.sha256(str(message_id).encode() if message_id else content).hexdigest()[:40]


async def serve(config: Config, stop: asyncio.Event) -> None:
    """Take mails until stopped."""
    own = files(config)
    email = config.senders.email if config.senders else None
    mailboxes = Mailboxes(own.mails, keep_duplicates="--keep-duplicates" in sys.argv)
    tls: ssl.SSLContext = server_tls(own)
    logins = None
    if email is not None and email.username is not None and email.password is not None:
        logins = (email.username.get_secret_value().encode(), email.password.get_secret_value().encode())

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        given = (data.login, data.password) if isinstance(data, LoginPassword) else (b"", b"")
        right = logins is not None and all(map(hmac.compare_digest, given, logins))
        return AuthResult(success=right, handled=right)

    def session() -> SMTP:
        return SMTP(
            mailboxes,
            hostname="localhost",
            ident="local mailbox",
            enable_SMTPUTF8=True,
            tls_context=tls,
            require_starttls=True,
            auth_required=logins is not None,
            authenticator=authenticate,
        )

    # The library warns of its own use of what it will remove.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    port = config.local_environment().mailbox_port
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, ["127.0.0.1", *_ipv6()], port)
    async with server:
        await stop.wait()


def _ipv6() -> list[str]:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return []
    return ["::1"]
