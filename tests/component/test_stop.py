"""From a customer's STOP to silence: real senders, SMSC, Kafka and PostgreSQL."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.kafka.clients import send
from delivery.opt_out.keywords import Keyword, reply
from devenv.fake_gateways import received, secrets
from devenv.fake_gateways.phone import send_sms
from devenv.services.catalog import SMSC
from tests import builders
from tests.component.programs import Programs
from tests.component.sender_harness import Record, SenderHarness

pytestmark = pytest.mark.environment
_CONFIRMED = reply(Keyword.STOP, "en", "Bank")


class SmsHarness(SenderHarness):
    """The same with senders of SMS."""

    _numbers = iter(range(31_600_000_001, 31_700_000_000))

    def add_number(self, **fields: Any) -> tuple[str, str]:
        """Add a customer with a phone; returns their id and number."""
        number = f"+{next(self._numbers)}"
        addresses = [{"channel": "SMS", "address": number}]
        customer = self.add_customer(addresses=addresses, **fields)
        self.wait_for(
            "the profile",
            lambda: bool(self.query_value("SELECT count(*) FROM profiles WHERE customer_id = %s", customer)),
        )
        return customer, number

    def write_settings(self, customer: str, *, snoozed_until: int | None = None, **fields: Any) -> None:
        """Write settings whose channel is SMS."""
        setting = builders.setting("s1", f"a-{customer}", snoozed_until=snoozed_until) | {"channels": ["SMS"]}
        super().write_settings(customer, settings=[setting], **fields)

    def new_sms(self, customer: str, number: str, **fields: Any) -> Record:
        """Make an alert by SMS."""
        return self.new_alert(customer, channel="SMS", address=number, **fields)

    def send_alerts(self, alerts: Iterable[Record]) -> None:
        """Write alerts to the topic of SMS."""
        topic = self.config.topics.outbound_sms.name
        for alert in alerts:
            value = self.codec.encode("OutboundAlert", alert, topic)
            send(self._producer, topic, alert["customer_id"].encode(), value)
        assert self._producer.flush(30) == 0

    def start_sender(self) -> "subprocess.Popen[bytes]":
        """Start a sender of SMS, with metrics on a port of its own."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            arguments = ["--metrics-port", str(free.getsockname()[1])]
        process = subprocess.Popen(
            [sys.executable, "-m", "delivery", "--config", str(self.file), "--channel", "sms", *arguments],
            env={**os.environ, **secrets.variables(self.config)},
            stdout=self._log,
            stderr=self._log,
        )
        self._processes.append(process)
        return process

    def inbox(self, number: str) -> list[received.Item]:
        """Return the SMS that a phone got."""
        return received.items(self.config, "sms", number.removeprefix("+"))

    def answers(self, number: str) -> list[str]:
        """Return those of them that answer its own."""
        return [item.text for item in self.inbox(number) if item.text.startswith("Bank: ")]

    def got_any(self, number: str) -> bool:
        """Tell whether a phone got an SMS."""
        return bool(self.inbox(number))

    def is_answered(self, number: str) -> bool:
        """Tell whether a phone got an answer."""
        return bool(self.answers(number))

    def states(self, alerts: list[Record]) -> set[str]:
        """Return the states of alerts."""
        rows = self.ledger_rows(alerts)
        return {rows[alert["alert_id"]]["state"] if alert["alert_id"] in rows else "" for alert in alerts}


@pytest.fixture(scope="module")
def harness(
    kafka: Config, postgres: Config, programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SmsHarness]:
    """Everything but senders runs."""
    programs.start(SMSC)
    own = SmsHarness(kafka, tmp_path_factory.mktemp("stop"))
    try:
        own.start_process("delivery.profiles")
        yield own
    finally:
        own.close()
        programs.stop("smsc")


@pytest.fixture
def senders(harness: SmsHarness) -> Iterator[None]:
    """Run two senders: the SMSC delivers to one of them only."""
    processes = [harness.start_sender() for _ in range(2)]
    yield
    for process in processes:
        assert harness.stop_process(process) == 0


@pytest.mark.usefixtures("senders")
def test_stop_ends_what_is_held_and_what_comes_and_start_brings_it_back(harness: SmsHarness) -> None:
    customer, number = harness.add_number(digest="HOURLY")
    profile: Any = {"addresses": [{"channel": "SMS", "address": number}], "digest": "HOURLY"}
    held = [harness.new_sms(customer, number) for _ in range(5)]
    harness.send_alerts(held)
    harness.wait_for("they are held", lambda: harness.states(held) == {"DEFERRED"})
    send_sms(harness.config, number, "Stop.")
    send_sms(harness.config, number, "UNSUBSCRIBE")
    harness.execute("UPDATE deliveries SET due_at = now() WHERE customer_id = %s", customer)
    harness.wait_for("the digest is cancelled", lambda: harness.states(held) == {"CANCELLED"})
    later = harness.new_sms(customer, number)
    harness.write_settings(customer, **profile, language="nl")
    harness.send_alerts([later])
    harness.wait_for("the next one is decided", lambda: bool(harness.states([later]) - {"", "CLAIMED"}))
    harness.execute(
        "UPDATE deliveries SET due_at = now() WHERE customer_id = %s AND due_at > now()", customer
    )
    harness.wait_for("the next one, too", lambda: harness.states([later]) == {"CANCELLED"})
    harness.wait_for("the confirmation", lambda: bool(harness.answers(number)))
    assert [item.text for item in harness.inbox(number)] == [_CONFIRMED]
    send_sms(harness.config, number, "START")
    back = harness.new_sms(customer, number)
    harness.send_alerts([back])
    harness.wait_for("it is held again", lambda: harness.states([back]) == {"DEFERRED"})
    harness.execute("UPDATE deliveries SET due_at = now() WHERE alert_id = %s", back["alert_id"])
    harness.wait_for("it is sent", lambda: bool(harness.states([back]) & {"SENT", "DELIVERED"}))
    harness.wait_for("all answers", lambda: len(harness.answers(number)) == 2)
    assert len(harness.inbox(number)) == 3


@pytest.mark.usefixtures("senders")
@pytest.mark.parametrize(
    ("text", "parts", "payload"),
    [("STOP", 1, True), ("ODHLÁSIT", 1, False), ("ODHLÁSIT", 2, False), ("STOP" + "\n" * 300, 4, False)],
)
def test_stop_in_every_shape(harness: SmsHarness, text: str, parts: int, payload: bool) -> None:
    _, number = harness.add_number()
    send_sms(harness.config, number, text, parts=parts, payload=payload)
    stopped = "SELECT stopped FROM sms_opt_outs WHERE number = %s"
    assert harness.query_value(stopped, number.removeprefix("+"))
    harness.wait_for("the confirmation", lambda: len(harness.answers(number)) == 1)


@pytest.mark.usefixtures("senders")
def test_from_stop_to_silence_takes_less_than_a_second(harness: SmsHarness) -> None:
    phones = [harness.add_number() for _ in range(20)]
    acknowledged: dict[str, float] = {}
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.2):
            harness.send_alerts([harness.new_sms(*phone) for phone in phones])

    def say_stop(number: str) -> None:
        send_sms(harness.config, number, "STOP")
        acknowledged[number] = time.time() * 1000

    sending = threading.Thread(target=trickle)
    sending.start()
    try:
        for _, number in phones:
            harness.wait_for("an SMS", partial(harness.got_any, number))
        with ThreadPoolExecutor(len(phones)) as pool:
            list(pool.map(say_stop, [number for _, number in phones]))
        for _, number in phones:
            harness.wait_for("a confirmation", partial(harness.is_answered, number))
        time.sleep(2)  # Alerts go on to be raised.
    finally:
        stop.set()
        sending.join()
    for _, number in phones:
        alerts = [item for item in harness.inbox(number) if not item.text.startswith("Bank: ")]
        # Handed over before the STOP was recorded, which is before it was acknowledged.
        assert max(item.arrived_at for item in alerts) <= acknowledged[number] + 1_000


def test_a_sender_that_is_killed_before_a_stop_is_recorded_loses_none(harness: SmsHarness) -> None:
    _, number = harness.add_number()
    first = harness.start_sender()
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND query LIKE '%%INSERT INTO sms_opt_outs%%'"
    )
    with ThreadPoolExecutor(1) as pool:
        with database.connect(harness.config.require("delivery")) as lock:
            lock.execute("LOCK TABLE sms_opt_outs IN ACCESS EXCLUSIVE MODE")
            saying = pool.submit(send_sms, harness.config, number, "STOP", timeout=120)
            harness.wait_for("the sender records it", lambda: bool(harness.query_value(waiting)))
            assert harness.stop_process(first, signal.SIGKILL) == -signal.SIGKILL
            assert not saying.done()
            lock.rollback()
        second = harness.start_sender()
        saying.result(120)
    stopped = "SELECT stopped FROM sms_opt_outs WHERE number = %s"
    assert harness.query_value(stopped, number.removeprefix("+"))
    harness.wait_for("the confirmation", lambda: bool(harness.answers(number)))
    assert harness.stop_process(second) == 0
    assert harness.answers(number) == [_CONFIRMED]
