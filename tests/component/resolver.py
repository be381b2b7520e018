"""The job device-resolver with a real device service, seen from outside: push alerts in, devices' out."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from account_alerts.config import Config, load
from tests.pipeline.environment import Environment, wait
from tests.reference.binary import decode, encode

CACHE_S = 1.0
Record = dict[str, Any]


def environment(folder: Path) -> Environment:
    """An environment whose resolver forgets answers quickly and makes checkpoints often."""
    folder.mkdir(exist_ok=True)
    made = Environment(folder)
    devices = {"cache": f"{CACHE_S * 1000:.0f}ms", "checkpoint_interval": "500ms", "max_backoff": "500ms"}
    made.config.override({"devices": devices}).write(made.file)
    made.config = load(made.file)
    return made


class Service:
    """The device service as a process of its own, to be asked, hung and killed."""

    def __init__(self, port: int, database: Path, **variables: str) -> None:
        """Start it, and wait until it answers."""
        self.url = f"http://localhost:{port}"
        self._command = [
            sys.executable,
            "-m",
            "devenv.bank.device_service",
            "--port",
            str(port),
            "--database",
            str(database),
        ]
        self._variables = {**os.environ, **variables}
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it where it does not run."""
        self._process = subprocess.Popen(self._command, env=self._variables)
        wait(self.answers, "the device service answers")

    def answers(self) -> bool:
        """Whether it does."""
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except (urllib.error.URLError, OSError):
            return False

    def signal(self, number: int) -> None:
        """SIGSTOP hangs it, SIGCONT lets it go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL it."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait(10)

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def register(self, customer: str, token: str, device: str | None = None) -> str:
        """Register an app; returns the device's id."""
        wanted = {"customer": customer, "kind": "FCM", "to": token, "device": device}
        status, found = self.ask("POST", "/v1/devices", wanted)
        assert status in (200, 201), found
        return str(found["device"])

    def remove(self, customer: str, device: str) -> None:
        """Remove a device."""
        query = urllib.parse.urlencode({"customer": customer, "device": device})
        assert self.ask("DELETE", f"/v1/devices?{query}")[0] == 200


def _reason(setting_id: str, alert_type: str, **fields: int) -> Record:
    empty = {"threshold_minor": None, "count": None, "window_minutes": None}
    return {"setting_id": setting_id, "alert_type": alert_type, **empty, **fields}


class Push:
    """Producer of push alerts, and consumer of what becomes of them."""

    def __init__(self, config: Config) -> None:
        """Connect, and see all there is from the beginning."""
        self.topics = config.topics
        properties: dict[str, Any] = dict(config.kafka.librdkafka())
        self._producer = Producer(properties | {"partitioner": "murmur2_random", "linger.ms": 0})
        self._consumer = Consumer(properties | {"group.id": "device-tests", "fetch.wait.max.ms": 20})
        parts = [
            TopicPartition(topic, number, 0)
            for topic in (self.topics.outbound_device_push.name, self.topics.dead_letters.name)
            for number in self._consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ]
        self._consumer.assign(parts)
        self.sent: dict[str, tuple[Record, int]] = {}
        """Push alerts by entry_id, each with Kafka's time of it in milliseconds."""
        self.came: list[tuple[bytes | None, Record, int]] = []
        """Key, alert and Kafka's time of each device alert."""
        self.dead: list[tuple[bytes | None, bytes | None, dict[str, bytes]]] = []

    def close(self) -> None:
        """Disconnect."""
        self._producer.flush(10)
        self._consumer.close()

    def alert(self, customer: str, entry_id: str) -> Record:
        """Write a push alert."""
        record = {
            "alert_id": f"id-of-{entry_id}",
            "customer_id": customer,
            "channel": "PUSH",
            "address": customer,
            "alert_type": "DEBITED_ABOVE",
            "account_id": f"account-of-{customer}",
            "currency": "JPY",
            "entry_id": entry_id,
            "setting_id": "s1",
            "booked_at": 1_750_000_000_123,
            "raised_at": 1_750_000_000_456,
            "language": "nl",
            "params": {"amount_minor": "1000", "balance_minor": "-1250", "threshold_minor": "0"},
            "reasons": [
                _reason("s1", "DEBITED_ABOVE", threshold_minor=0),
                _reason("s2", "TRANSACTION_COUNT", count=3, window_minutes=60),
            ],
        }
        self._put(customer.encode(), encode("OutboundAlert", record), record)
        return record

    def alerts(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Write push alerts, and wait until Kafka has them: (customer, entry_id)."""
        for customer, entry_id in wanted:
            self.alert(customer, entry_id)
        assert self._producer.flush(30) == 0

    def poison(self, key: bytes | None, value: bytes | None) -> None:
        """Write bytes that are no push alert."""
        self._put(key, value, None)
        assert self._producer.flush(30) == 0

    def _put(self, key: bytes | None, value: bytes | None, record: Record | None) -> None:
        def delivered(error: Any, message: Any) -> None:
            assert error is None, error
            if record is not None:
                self.sent[record["entry_id"]] = record, message.timestamp()[1]

        self._producer.produce(self.topics.outbound_push.name, value, key, on_delivery=delivered)
        self._producer.poll(0)

    def poll(self, seconds: float) -> None:
        """Take in what comes, for at most so long."""
        for message in self._consumer.consume(1000, seconds):
            assert message.error() is None, message.error()
            if message.topic() == self.topics.dead_letters.name:
                headers: Any = dict(message.headers() or [])
                self.dead.append((message.key(), message.value(), headers))
                continue
            record = decode("OutboundAlert", message.value())
            assert record is not None, message.value()
            self.came.append((message.key(), record, message.timestamp()[1]))

    def until(self, condition: Callable[[], bool], what: str, timeout: float = 300) -> None:
        """Take in what comes until the condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what}"
            self.poll(0.1)

    def of(self, *entry_ids: str) -> list[Record]:
        """The device alerts that came for these bookings, in their order, repeats included."""
        return [record for _, record, _ in self.came if record["entry_id"] in entry_ids]
