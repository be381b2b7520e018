"""The bridge between a real message queue and a real Kafka: what arrives, and that nothing is lost."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from confluent_kafka import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

from account_alerts.config import Config
from account_alerts.config.ingest import Bridge
from account_alerts.kafka.clients import read_to_end
from account_alerts.records.codec import Record, codec
from devenv.bank import camt054_writer
from devenv.services import queue as local_queue
from devenv.services.catalog import BRIDGE, QUEUE
from ingest.bridge.connection import QUEUE as QUEUE_LINK
from ingest.bridge.connection import connect
from operations.queue import Outgoing, put
from operations.waiting import wait_for
from tests.builders import entry
from tests.component.conftest import KAFKA
from tests.component.programs import Programs

_MANY = 2_000
_SECONDS = 300
_numbers = count(1)


@pytest.fixture(scope="module")
def config(kafka: Config, programs: Programs) -> Iterator[Config]:
    """Run the queue and the bridge; return the configuration that says where."""
    programs.start(QUEUE)
    programs.start(BRIDGE)
    yield programs.config
    programs.stop("bridge")
    programs.stop("queue")


@pytest.fixture
def account() -> str:
    """Make an account that no other test has."""
    return f"NL{next(_numbers):02d}BRDG0000000000"


def send(config: Config, *bodies: bytes) -> None:
    """Put messages onto the queue."""
    assert config.bridge is not None
    assert put(config.bridge, [Outgoing(body) for body in bodies]) == len(bodies)


def booked(config: Config, account: str) -> list[Record]:
    """Return the bookings of an account on Kafka."""
    decoder, topic = codec(config), config.topics.account_entries.name
    return [
        decoder.decode("AccountEntry", message.value() or b"")
        for message in read_to_end(config, topic)
        if message.key() == account.encode()
    ]


def reference(booking: Record) -> str:
    """Return the bank's reference, which ids of camt.054 entries begin with."""
    return str(booking["entry_id"]).partition("/")[0]


def arrived(config: Config, account: str, wanted: int) -> list[Record]:
    """Wait until so many bookings of an account are on Kafka."""

    def enough() -> list[Record] | None:
        found = booked(config, account)
        return found if len(found) >= wanted else None

    return wait_for(f"{wanted} bookings of {account}", enough, _SECONDS, "See bridge.out.")


def dead_letter(config: Config, body: bytes) -> Message:
    """Wait until a message is a dead letter."""

    def found() -> list[Message]:
        # A message without a body counts as false, the list that holds it does not.
        letters = read_to_end(config, config.topics.dead_letters.name)
        return [letter for letter in letters if (letter.value() or b"") == body]

    return wait_for("a dead letter", found, _SECONDS, "See bridge.out.")[0]


def read_headers(letter: Message) -> dict[str, str]:
    """Return a dead letter's headers."""
    found: Any = letter.headers() or []
    return {name: value.decode() for name, value in found}


def wait_until_empty(config: Config) -> None:
    """Wait until everything on the queue is settled."""

    def empty() -> bool:
        status = local_queue.status(config)
        return status is not None and status.depth == 0

    wait_for("an empty queue", empty, _SECONDS, "See bridge.out.")


def test_a_notification_becomes_a_booking(config: Config, account: str) -> None:
    booking = entry("n1", account, country="NL", counterparty="NL91ABNA0417164300", description="rent & more")
    send(config, camt054_writer.write(booking))
    [found] = arrived(config, account, 1)
    assert found == {**booking, "entry_id": found["entry_id"]}
    assert reference(found) == "n1"
    wait_until_empty(config)


def test_json_becomes_a_booking(config: Config, account: str) -> None:
    booking = entry("j1", account, entry_type="CARD", merchant_name="Bäckerei Łódź")
    send(config, json.dumps(booking).encode(), json.dumps([{**booking, "entry_id": "j2"}]).encode())
    assert {each["entry_id"] for each in arrived(config, account, 2)} == {"j1", "j2"}
    assert booking in booked(config, account)


def test_each_side_of_a_payment_hears_of_its_own(config: Config, account: str) -> None:
    other = f"{account}B"
    payment = {
        "payment_id": "p1",
        "currency": "EUR",
        "amount_minor": 12_345,
        "booked_at": 1_750_000_000_000,
        "debtor": {"account_id": account, "balance_minor": 100},
        "creditor": {"account_id": other, "balance_minor": 20_000},
    }
    send(config, json.dumps(payment).encode())
    [debit], [credit] = arrived(config, account, 1), arrived(config, other, 1)
    assert (debit["credit_debit"], debit["balance_minor"]) == ("DBIT", 100)
    assert (credit["credit_debit"], credit["balance_minor"]) == ("CRDT", 20_000)
    assert debit["amount_minor"] == credit["amount_minor"] == 12_345
    assert debit["entry_id"] != credit["entry_id"]


def test_one_notification_of_two_accounts(config: Config, account: str) -> None:
    other = f"{account}B"
    credit = entry("t2", other, credit_debit="CRDT", balance_minor=-500)
    send(config, camt054_writer.write(entry("t1", account), credit))
    assert [reference(each) for each in arrived(config, account, 1)] == ["t1"]
    [found] = arrived(config, other, 1)
    assert found == {**credit, "entry_id": found["entry_id"]}
    assert reference(found) == "t2"


class _RawSender(MessagingHandler):
    """Sends bytes as they are instead of a message."""

    def __init__(self, config: Bridge, encoded: bytes) -> None:
        super().__init__()
        self._config, self._encoded = config, encoded
        self.sent = self.accepted = False

    def on_start(self, event: Any) -> None:
        connection = connect(event.container, self._config)
        event.container.create_sender(connection, self._config.address, options=QUEUE_LINK)

    def on_sendable(self, event: Any) -> None:
        if not self.sent:
            self.sent = True
            event.sender.delivery(event.sender.delivery_tag())
            if self._encoded:
                event.sender.stream(self._encoded)
            event.sender.advance()

    def on_accepted(self, event: Any) -> None:
        self.accepted = True
        event.connection.close()

    def on_rejected(self, event: Any) -> None:
        event.connection.close()


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param(b"\x00\x53\x77\xa1\x03\xff\xfe\xfd", id="text that is not Unicode"),
        pytest.param(b"\x00\x53\x77\x73\xff\xff\xff\xff", id="a character that is none"),
    ],
)
def test_what_the_library_cannot_read_stops_nobody(config: Config, account: str, encoded: bytes) -> None:
    assert config.bridge is not None
    sender = _RawSender(config.bridge, encoded)
    Container(sender).run()
    assert sender.accepted
    send(config, camt054_writer.write(entry("after", account)))
    assert arrived(config, account, 1)
    wait_until_empty(config)
    letters = read_to_end(config, config.topics.dead_letters.name)
    [letter] = [each for each in letters if (each.value() or b"").endswith(encoded)]
    assert read_headers(letter)["reason"].startswith("not a readable AMQP message")


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        pytest.param(b"", "an empty message", id="nothing"),
        pytest.param(b"\x00\x53\x77\x55\x07", "neither bytes nor text", id="a number"),
    ],
)
def test_what_is_no_text_is_a_dead_letter(config: Config, account: str, encoded: bytes, reason: str) -> None:
    assert config.bridge is not None
    topic = config.topics.dead_letters.name
    before = {(each.partition(), each.offset()) for each in read_to_end(config, topic)}
    Container(_RawSender(config.bridge, encoded)).run()
    send(config, camt054_writer.write(entry("after", account)))
    assert arrived(config, account, 1)
    wait_until_empty(config)
    [letter] = [
        each for each in read_to_end(config, topic) if (each.partition(), each.offset()) not in before
    ]
    assert (read_headers(letter)["reason"], letter.value() or b"") == (reason, encoded)


def test_what_is_sent_twice_keeps_its_id(config: Config, account: str) -> None:
    message = camt054_writer.write(entry("twice", account))
    send(config, message, message)
    first, second = arrived(config, account, 2)
    assert first == second


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<Document><never closed", "XML"),
        (b'{"entry_id": "x"}', "account_id, amount_minor, booked_at"),
        (b"neither of the two", "neither XML nor JSON"),
        (b"", "an empty message"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>', "XML with a document type"),
        (b"<Document/>", "no BkToCstmrDbtCdtNtfctn"),
    ],
)
def test_a_broken_message_is_a_dead_letter_and_settled(config: Config, body: bytes, reason: str) -> None:
    assert config.bridge is not None
    send(config, body)
    letter = dead_letter(config, body)
    headers = read_headers(letter)
    assert headers["source.topic"] == config.bridge.address
    assert (headers["source.partition"], headers["source.offset"]) == ("0", "0")
    assert headers["reason"]
    assert reason in headers["reason"]
    wait_until_empty(config)


def test_the_good_entries_of_a_half_broken_message(config: Config, account: str) -> None:
    good, bad = entry("good", account), entry("bad", account, credit_debit="NEITHER")
    body = json.dumps([good, bad]).encode()
    send(config, body)
    assert arrived(config, account, 1) == [good]
    assert read_headers(dead_letter(config, body))["reason"].startswith("item 2: credit_debit")


def send_many(config: Config, account: str) -> None:
    """Put many messages onto the queue, while Kafka acknowledges nothing; wait until the bridge is full.

    What happens next happens in mid-stream: so many messages are unsettled, and the others wait.
    """
    assert config.bridge is not None
    window = config.bridge.max_unsettled
    assert 0 < window < _MANY
    send(config, *(camt054_writer.write(entry(f"m{number}", account)) for number in range(_MANY)))

    def full() -> bool:
        status = local_queue.status(config)
        return status is not None and (status.unsettled, status.depth) == (window, _MANY)

    wait_for("a full window", full, _SECONDS, "See bridge.out.")


def all_arrived(config: Config, account: str) -> int:
    """Wait until each of them is on Kafka, and the queue is empty; returns how many came again."""

    def complete() -> list[str] | None:
        found = [reference(each) for each in booked(config, account)]
        return found if len(set(found)) == _MANY else None

    wait_for("all bookings", complete, _SECONDS, "See bridge.out.")
    wait_until_empty(config)
    ids = [reference(each) for each in booked(config, account)]
    assert set(ids) == {f"m{number}" for number in range(_MANY)}
    return len(ids) - _MANY


def test_the_bridge_is_killed(config: Config, account: str, programs: Programs) -> None:
    assert config.bridge is not None
    with programs.paused("kafka"):
        send_many(config, account)
        programs.kill("bridge")
    # Those that were unsettled come again, and no others.
    assert all_arrived(config, account) <= config.bridge.max_unsettled


def test_the_queue_is_killed(config: Config, account: str, programs: Programs) -> None:
    with programs.paused("kafka"):
        send_many(config, account)
        programs.kill("queue")
        programs.wait(BRIDGE)
    # Kafka answers for what came by a connection that is no more.
    all_arrived(config, account)
    # And the bridge has as many unsettled as before.
    with programs.paused("kafka"):
        send_many(config, f"{account}B")
    all_arrived(config, f"{account}B")


def test_kafka_is_killed(config: Config, account: str, programs: Programs) -> None:
    with programs.paused("kafka"):
        send_many(config, account)
        programs.kill("kafka")
    programs.wait(KAFKA)
    # The queue was there all the time: what was unsettled is sent to Kafka again, once.
    assert all_arrived(config, account) == 0


def test_kafka_is_stopped_and_started(config: Config, account: str, programs: Programs) -> None:
    before = programs.processes("bridge")
    programs.stop("kafka")
    send_many(config, account)
    programs.start(KAFKA)
    assert all_arrived(config, account) == 0
    assert programs.processes("bridge") == before
