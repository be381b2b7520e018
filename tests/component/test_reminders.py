"""An application begun and not finished becomes a message: with a real Kafka and a real Flink cluster.

One cluster for all tests; the ids of each test are its own.
"""

import signal
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from account_alerts.config import Config, load
from account_alerts.kafka.clients import producer, read_to_end, send
from account_alerts.records.codec import Record, RecordName, codec
from tests.builders import setting, settings
from tests.pipeline.environment import Environment, wait

pytestmark = pytest.mark.environment

_AFTER_S = 8.0
"""Longer than a test takes to write what begins and what ends, on a busy machine."""
_SECONDS = 300
_numbers = count(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The job runs, and reminds after seconds instead of half an hour."""
    own = Environment(tmp_path_factory.mktemp("reminders"))
    own.config.override({"clicks": {"reminder_after": f"{_AFTER_S:.0f}s"}}).write(own.file)
    own.config = load(own.file)
    try:
        own.alerts("up", "--no-jobs")
        own.alerts("submit", "reminders", "--stateless")
        yield own
    finally:
        own.alerts("down")


@pytest.fixture(scope="module")
def config(cluster: Environment) -> Config:
    return cluster.config


@pytest.fixture
def name() -> str:
    """A part of ids that no other test has."""
    return f"reminded{next(_numbers)}"


def write(config: Config, *records: Record | bytes) -> None:
    """Put settings and clicks onto their topics, in this order; bytes are clicks that are broken."""
    client, encoder = producer(config), codec(config)
    for record in records:
        if isinstance(record, bytes):
            send(client, config.topics.click_events.name, b"broken", record)
            continue
        schema: RecordName
        schema, topic = (
            ("ClickEvent", "click_events") if "event_id" in record else ("AlertSettings", "alert_settings")
        )
        place = config.topics.all()[topic].name
        send(client, place, record["customer_id"].encode(), encoder.encode(schema, record, place))
    assert client.flush(30) == 0


def agreed(customer: str, *channels: str) -> Record:
    """A customer who wants to be reminded."""
    wanted = setting(
        "s", "acc", alert_type="APPLICATION_REMINDER", threshold_minor=None, channels=list(channels)
    )
    return settings(customer, wanted)


def event(customer: str, kind: str, application: str, **fields: Any) -> Record:
    """What the customer did."""
    return {
        **{"event_id": f"{customer}-{kind}-{application}", "customer_id": customer, "product": "LOAN"},
        **{
            "event_type": f"APPLICATION_{kind}",
            "occurred_at": 1_764_000_000_000,
            "application_id": application,
        },
        **dict.fromkeys(("session_id", "page", "attributes")),
        **fields,
    }


def reminders(config: Config, customer: str) -> list[tuple[str, Record]]:
    """All messages to customers whose id begins so: channel and record."""
    decoder, found = codec(config), []
    for channel in ("email", "sms", "push"):
        for message in read_to_end(config, config.topics.all()[f"outbound_{channel}"].name):
            record = decoder.decode("OutboundAlert", message.value() or b"")
            if record["customer_id"].startswith(customer):
                assert message.key() == record["customer_id"].encode()
                assert record["channel"] == channel.upper()
                found.append((channel, record))
    return found


def applications(config: Config, customer: str) -> list[str]:
    """Which applications were reminded of, by each message."""
    return sorted(record["entry_id"] for _, record in reminders(config, customer))


def pass_by(config: Config, name: str) -> None:
    """Wait until an application that was begun now is reminded of: whatever was due before has been."""
    customer = f"barrier of {name}"
    write(config, agreed(customer, "EMAIL"), event(customer, "BEGUN", "barrier"))
    wait(
        lambda: applications(config, customer) == ["barrier"], "the reminder of the last one begun", _SECONDS
    )


def test_begun_and_not_finished(config: Config, name: str) -> None:
    start = time.time()
    write(config, agreed(name, "EMAIL", "SMS"), event(name, "BEGUN", "left"), event(name, "LEFT", "left"))
    wait(lambda: len(reminders(config, name)) >= 2, "both messages", _SECONDS)
    assert time.time() - start >= _AFTER_S
    (_, mail), (_, text) = reminders(config, name)
    assert mail["params"] == {"product": "LOAN", "application_id": "left"}
    assert (mail["alert_type"], mail["setting_id"], mail["account_id"]) == (
        "APPLICATION_REMINDER",
        "s",
        "acc",
    )
    assert mail["booked_at"] == 1_764_000_000_000
    assert mail["alert_id"] != text["alert_id"]


def test_finished_or_repeated_or_not_agreed(config: Config, name: str) -> None:
    begun = event(name, "BEGUN", "twice")
    other, withdrew, busy = f"{name}-other", f"{name}-withdrew", f"{name}-busy"
    most = config.require("clicks").reminders_per_day
    write(
        config,
        *(agreed(name, "PUSH"), settings(other, setting()), agreed(withdrew, "EMAIL")),
        *(begun, begun, event(name, "BEGUN", "done"), event(name, "FINISHED", "done")),
        *(event(name, "FINISHED", "overtook"), event(name, "BEGUN", "overtook")),
        *(event(other, "BEGUN", "no"), event(withdrew, "BEGUN", "no"), settings(withdrew)),
        *(agreed(busy, "EMAIL"), *(event(busy, "BEGUN", f"invented-{number}") for number in range(2 * most))),
    )
    pass_by(config, name)
    found = applications(config, name)
    assert len(found) == 1 + most, "one customer's applications are not the bank's cost without an end"
    assert [application for application in found if "invented" not in application] == ["twice"]


def test_what_is_no_event_becomes_a_dead_letter(config: Config, name: str) -> None:
    broken = b"\xff" * 9 + name.encode()
    write(config, agreed(name, "EMAIL"), broken, event(name, "BEGUN", "good"))
    wait(lambda: applications(config, name) == ["good"], "the reminder after it", _SECONDS)

    def letters() -> list[bytes | None]:
        return [letter.value() for letter in read_to_end(config, config.topics.dead_letters.name)]

    wait(lambda: letters().count(broken) == 1, "the dead letter", _SECONDS)


def test_a_killed_task_manager_forgets_nobody(cluster: Environment, config: Config, name: str) -> None:
    people = [f"{name}-{number:02d}" for number in range(30)]
    write(config, *(agreed(each, "EMAIL") for each in people))
    write(config, *(event(each, "BEGUN", each) for each in people[:15]))
    cluster.task_manager().send_signal(signal.SIGKILL)
    write(config, *(event(each, "BEGUN", each) for each in people[15:]))
    write(config, *(event(each, "FINISHED", each) for each in people[::5]))
    wanted = sorted(each for each in people if each not in people[::5])
    wait(lambda: set(applications(config, name)) >= set(wanted), "all reminders", _SECONDS)
    found = reminders(config, name)
    assert {record["entry_id"] for _, record in found} == set(wanted)
    assert len({record["alert_id"] for _, record in found}) == len(wanted), "repeats have the same id"
