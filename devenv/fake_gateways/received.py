"""What the local gateways have taken, as customers would see it, and how long after its booking each came."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import groupby
from pathlib import Path
from typing import Any

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.alerts import Channel
from account_alerts.records.codec import CodecError, codec
from devenv.fake_gateways import INBOXES, journal
from devenv.fake_gateways.files import files
from devenv.fake_gateways.mailbox import ARRIVED, mailbox_name


@dataclass(frozen=True)
class Item:
    """A message that a gateway took; times in milliseconds UTC."""

    channel: str
    key: str
    """The alert's id, or the digest's."""
    to: str
    title: str
    text: str
    arrived_at: int
    booked_at: int | None = None
    raised_at: int | None = None
    """Of the alert, where the senders' ledger knows it."""

    @property
    def milliseconds(self) -> int | None:
        """From the booking to the gateway having the message."""
        return None if self.booked_at is None else self.arrived_at - self.booked_at

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "milliseconds": self.milliseconds}

    def line(self) -> str:
        """When, to whom, how long after the booking, what."""
        at = datetime.fromtimestamp(self.arrived_at / 1000, UTC)
        waited = "" if self.milliseconds is None else f"{self.milliseconds} ms"
        shown = self.title if self.channel == INBOXES[Channel.EMAIL] else " ".join(self.text.split())
        return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {self.to[:24]:<24} {waited:>9}  {shown}"


def items(config: Config, channel: str, to: str | None = None) -> list[Item]:
    """Return the messages of a channel (`mail`, `sms`, `push`) in the order of their arrival.

    Args:
        config: The local environment.
        channel: One of `INBOXES`.
        to: Only those to this address, number (digits), or device.
    """
    readers = {Channel.EMAIL: mails, Channel.SMS: sms, Channel.PUSH: pushes}
    read = {INBOXES[key]: reader for key, reader in readers.items()}[channel]
    found = [item for item in read(config) if to is None or item.to.lower() == to.lower()]
    return sorted(found, key=lambda item: (item.arrived_at, item.key))


def mails(config: Config) -> Iterator[Item]:
    """Yield the mails of all mailboxes."""
    for file in sorted(files(config).mails.glob("*/new/*")):
        mail = read_mail(file)
        body = mail.get_body(("plain",))
        yield Item(
            INBOXES[Channel.EMAIL],
            str(mail.get("X-Idempotency-Key", "")),
            str(mail.get("Delivered-To", "")),
            str(mail.get("Subject", "")),
            "" if body is None else body.get_content().replace("\r\n", "\n"),
            int(mail.get(ARRIVED, 0)),
        )


def mailbox_files(config: Config, address: str) -> list[Path]:
    """Return the files of the mails in one mailbox, the oldest first."""
    found = (files(config).mails / mailbox_name(address) / "new").glob("*")
    return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name))


def read_mail(file: Path) -> EmailMessage:
    """Parse a mail."""
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)  # The policy makes such.
    return mail


def sms(config: Config) -> Iterator[Item]:
    """Yield the SMS; the parts of a long one joined, once all are there."""
    records = [line for line in journal.read(files(config).sms) if "key" in line]

    def whose(record: dict[str, Any]) -> tuple[str, str]:
        return record["to"], record["message_key"]

    for (to, key), group in groupby(sorted(records, key=whose), key=whose):
        parts = list(group)
        if parts[0]["part"]:
            parts.sort(key=lambda record: record["part"][2])
            if [record["part"][2] for record in parts] != list(range(1, parts[0]["part"][1] + 1)):
                continue
        text = "".join(record["text"] for record in parts)
        yield Item("sms", key, to, "", text, max(record["arrived_at"] for record in parts))


def pushes(config: Config) -> Iterator[Item]:
    """Yield the pushes, decrypted."""
    for record in journal.read(files(config).pushes):
        data = record.get("data") or {}
        key = data.get("alert_id") or data.get("digest_id") or record["message_key"]
        yield Item("push", key, record["to"], record["title"], record["text"], record["arrived_at"])


def with_times(config: Config, found: Iterable[Item]) -> list[Item]:
    """Return the items with the times of their alerts, as the senders' ledger has them.

    Raises:
        DatabaseError: The ledger cannot be asked.
    """
    listed, decoder = list(found), codec(config)
    times: dict[str, tuple[int, int]] = {}
    with postgres.connect(config.require("delivery")) as connection:
        rows = connection.execute(
            "SELECT alert_id, record FROM deliveries WHERE record IS NOT NULL AND alert_id = ANY(%s)",
            [list({item.key for item in listed})],
        )
        for alert_id, record in rows:
            try:
                alert = decoder.decode("OutboundAlert", bytes(record))
            except CodecError:
                continue
            times[alert_id] = alert["booked_at"], alert["raised_at"]
    return [
        replace(item, booked_at=times[item.key][0], raised_at=times[item.key][1])
        if item.key in times
        else item
        for item in listed
    ]
