"""What senders' tests need: a mail server, alerts and profiles on Kafka, sender processes, the ledger."""

import asyncio
import email
import email.policy
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from account_alerts import postgres
from account_alerts.config import Config, load
from account_alerts.kafka.clients import producer, send, send_all
from account_alerts.records.codec import Codec
from operations.waiting import wait_for
from tests import builders

Record = dict[str, Any]
_SECRETS = {"ALERTS_SENDERS__EMAIL__UNSUBSCRIBE_SECRET": "a-secret-of-the-tests"}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Mail:
    """A mail as the server took it."""

    at: float
    to: str
    id: str
    subject: str
    text: str


@dataclass
class MailServer:
    """A mail server that keeps what it takes; the name before the @ says what is to go wrong."""

    port: int
    mails: list[Mail] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    delay: float = 0.0
    refusal: str | None = None
    """What every recipient is answered."""
    _controller: Controller | None = None

    def start(self) -> None:
        """Listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening, and drop all connections."""
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop()

    def to(self, address: str) -> list[Mail]:
        """Return the mails to an address."""
        return [mail for mail in list(self.mails) if mail.to == address]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so.
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.tries[address] += 1
        if self.refusal is not None:
            return self.refusal
        if address.startswith("doubt"):
            return "550 no such user, or no relaying"
        if address.startswith("gone"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("later") and self.tries[address] < 3:
            return "451 4.3.0 Try again later"
        if address.startswith("stuck") and self.tries[address] < 2:
            await asyncio.sleep(60)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.delay:
            await asyncio.sleep(self.delay)
        content = envelope.content
        assert isinstance(content, bytes)
        mail = email.message_from_bytes(content, policy=email.policy.default)
        body = mail.get_body(("plain",))
        text = body.get_content() if body is not None else ""
        self.mails.append(Mail(time.time(), envelope.rcpt_tos[0], mail["Message-ID"], mail["Subject"], text))
        return f"250 2.0.0 Ok: queued as {len(self.mails)}"


class SenderHarness:
    """Senders on the Kafka and PostgreSQL of the tests, with a mail server of their own."""

    def __init__(self, config: Config, folder: Path, quick: dict[str, Any] | None = None) -> None:
        """Write the configuration that senders are started with; `quick`: instead of short times."""
        short = {
            "lease": "80s",
            "send_timeout": "40s",
            "initial_backoff": "200ms",
            "max_probe_interval": "500ms",
            "in_flight": 64,
            "email": {"tls": "none", "timeout": "8s"},
        }
        self.file = folder / f"senders-{next(_numbers)}.yaml"
        chosen = short if quick is None else {"email": {"tls": "none"}} | quick
        config.override({"senders": chosen}).write(self.file)
        self.config = load(self.file)
        self.codec = Codec()
        assert self.config.senders is not None
        assert self.config.senders.email is not None
        self.mail_server = MailServer(self.config.senders.email.port)
        self._producer = producer(self.config)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "senders.log").open("ab")

    def add_customer(self, *, authorized: bool = True, **fields: Any) -> str:
        """Add a customer with an account (`a-` before their id) and one setting, `s1`."""
        customer = f"c{next(_numbers)}-{os.getpid()}-{time.time_ns()}"
        self.write_settings(customer, **fields)
        self.write_authorization(customer, *([customer] if authorized else []))
        return customer

    def write_settings(self, customer: str, *, snoozed_until: int | None = None, **fields: Any) -> None:
        """Write a customer's settings, with one setting unless `settings` says otherwise."""
        wanted = builders.setting("s1", f"a-{customer}", snoozed_until=snoozed_until)
        record = builders.settings(customer, wanted) | fields
        self._send("alert_settings", "AlertSettings", customer, record)

    def write_authorization(self, customer: str, *customers: str) -> None:
        """Write who may see a customer's account."""
        record = builders.authorization(f"a-{customer}", *customers)
        self._send("account_authorizations", "AccountAuthorization", f"a-{customer}", record)

    def delete_customer(self, customer: str) -> None:
        """Write that a customer has left."""
        send_all(self.config, [(self.config.topics.alert_settings.name, customer.encode(), None)])

    def _send(self, topic: str, name: Any, key: str, record: Record) -> None:
        name_of_topic = self.config.topics.all()[topic].name
        value = self.codec.encode(name, record, name_of_topic)
        send_all(self.config, [(name_of_topic, key.encode(), value)])

    def new_alert(self, customer: str, **fields: Any) -> Record:
        """Make an alert of a customer's setting, by mail."""
        now = time.time_ns() // 1_000_000
        return {
            "alert_id": f"{next(_numbers):08}-{customer}",
            "customer_id": customer,
            "channel": "EMAIL",
            "address": f"{customer}@example.com",
            "alert_type": "DEBITED_ABOVE",
            "account_id": f"a-{customer}",
            "currency": "EUR",
            "entry_id": f"e{next(_numbers)}",
            "setting_id": "s1",
            "booked_at": now,
            "raised_at": now,
            "language": "en",
            "params": {"threshold_minor": "0", "amount_minor": "1000", "balance_minor": "9500"},
        } | fields

    def send_alerts(self, alerts: Iterable[Record]) -> None:
        """Write alerts to their topic."""
        topic = self.config.topics.outbound_email.name
        for alert in alerts:
            value = self.codec.encode("OutboundAlert", alert, topic)
            send(self._producer, topic, alert["customer_id"].encode(), value)
        assert self._producer.flush(30) == 0

    def start_process(self, module: str = "delivery", *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a process: a sender of mails, or another module."""
        more = ["--channel", "email", *arguments] if module == "delivery" else list(arguments)
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--config", str(self.file), *more],
            env={**os.environ, **_SECRETS},
            stdout=self._log,
            stderr=self._log,
        )
        self._processes.append(process)
        return process

    def log(self) -> str:
        """Return what all processes have logged."""
        return Path(self._log.name).read_text()

    def stop_process(self, process: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> int:
        """End a process and wait for its end; its exit status."""
        process.send_signal(number)
        return process.wait(30)

    def close(self) -> None:
        """Stop everything."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.mail_server.stop()
        self._log.close()

    def ledger_rows(self, alerts: Iterable[Record]) -> dict[str, Record]:
        """Return the ledger's rows of alerts, by id."""
        ids = [alert["alert_id"] for alert in alerts]
        with postgres.connect(self.config.require("delivery")) as connection:
            cursor = connection.execute("SELECT * FROM deliveries WHERE alert_id = ANY (%s)", [ids])
            assert cursor.description is not None
            names = [column.name for column in cursor.description]
            found = [dict(zip(names, row, strict=True)) for row in cursor]
        return {row["alert_id"]: row for row in found}

    def count_states(self, alerts: Iterable[Record]) -> Counter[str]:
        """Count the alerts in each state."""
        ids = [alert["alert_id"] for alert in alerts]
        sql = "SELECT state, count(*) FROM deliveries WHERE alert_id = ANY (%s) GROUP BY state"
        with postgres.connect(self.config.require("delivery")) as connection:
            return Counter(dict(connection.execute(sql, [ids]).fetchall()))

    def execute(self, sql: str, *values: Any) -> None:
        """Change the ledger, as time would."""
        with postgres.connect(self.config.require("delivery")) as connection:
            connection.execute(sql, values)

    def query_value(self, sql: str, *values: Any) -> Any:
        """Query one value of the delivery database."""
        with postgres.connect(self.config.require("delivery")) as connection:
            [found] = connection.execute(sql, values).fetchone() or [None]
        return found

    @property
    def connections(self) -> int:
        """How many mails a sender hands over at the same time."""
        assert self.config.senders is not None
        assert self.config.senders.email is not None
        return self.config.senders.email.connections

    def send_slowly(self, alerts: list[Record], seconds: float) -> None:
        """Write alerts over some time, in small portions."""
        portion = 10
        for start in range(0, len(alerts), portion):
            self.send_alerts(alerts[start : start + portion])
            time.sleep(seconds * portion / len(alerts))

    def wait_for(self, what: str, condition: Callable[[], bool], timeout: float = 180) -> None:
        """Wait for a condition."""
        wait_for(what, condition, timeout, f"See {self._log.name}.")

    def is_ready(self) -> bool:
        """Tell whether a sender takes alerts."""
        try:
            return self.metrics()['account_alerts_sender_ready{channel="EMAIL"}'] == 1
        except OSError:
            return False

    def metrics(self) -> dict[str, float]:
        """Read the sender's metrics, by name and labels."""
        assert self.config.senders is not None
        address = f"http://localhost:{self.config.senders.metrics_port('email')}/metrics"
        with urllib.request.urlopen(address, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return {
            name: float(value)
            for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")
        }


def steps(row: Record) -> list[str]:
    """Return the steps of an alert in the ledger."""
    found = row["steps"]
    return [step["step"] for step in (json.loads(found) if isinstance(found, str) else found)]
