"""The Debezium connector: what it reads of the bank's database, and on which topics it writes it.

A topic has one row a record: the key is the customer's or the account's id as plain text, the value the row
as JSON with its operation in `__op` (c: created, u: updated, r: read for a snapshot), or null for a deleted
row. Within a key, records are in the order of the commits. Kafka Connect writes each of them once, by
transactions (its worker has `exactly.once.source.support`), so an old version never comes after a newer one.
"""

import time
from dataclasses import dataclass
from typing import Any

import httpx2
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from account_alerts.clients import admin
from account_alerts.config import LARGEST_RECORD, Config
from account_alerts.config_ends import Capture
from account_alerts.config_model import Topic
from account_alerts.database import bank

SETTINGS = "published.alert_settings"
AUTHORIZATIONS = "published.account_authorizations"
BOOKINGS = "public.bookings"
"""The tables whose changes are published."""
_KEYS = {SETTINGS: "customer_id", AUTHORIZATIONS: "account_id", BOOKINGS: "account_id"}
_TOPICS = {SETTINGS: "alert_settings", AUTHORIZATIONS: "account_authorizations", BOOKINGS: "account_entries"}
PUBLICATION = "alerts"
"""What PostgreSQL calls the tables whose changes may be read; the migrations make it."""
_HEARTBEAT = (
    "INSERT INTO published.heartbeat VALUES (true, now()) "
    "ON CONFLICT (only_row) DO UPDATE SET beat_at = now()"
)
_TIMEOUT = 10.0


class CaptureError(Exception):
    """Kafka Connect does not answer or refuses, or nothing is configured; the message says what to do."""


@dataclass(frozen=True)
class Status:
    """How the connector is."""

    known: bool
    """Whether Kafka Connect has it."""
    running: bool
    failed: bool
    reason: str
    """Why it failed: the first line; empty where it did not."""


def capture(config: Config) -> Capture:
    """The configuration's section.

    Raises:
        CaptureError: There is none.
    """
    if config.capture is None:
        raise CaptureError(f"{config.path}: has no section 'capture'. Add it, as in conf/local.yaml.")
    return config.capture


def tables(config: Config) -> dict[str, str]:
    """The tables that are read, and for each the key in the configuration of the topic it becomes."""
    wanted = dict(_TOPICS)
    if not capture(config).bookings:
        del wanted[BOOKINGS]
    return wanted


def settings(config: Config) -> dict[str, str]:
    """The connector's configuration, as Kafka Connect takes it; without a secret in it."""
    own, database, read = capture(config), bank(config), tables(config)
    by_customer = own.topic(SETTINGS)
    others = "|".join(own.topic(table) for table in read if table != SETTINGS)
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "plugin.name": "pgoutput",
        "database.hostname": database.host,
        "database.port": str(database.port),
        "database.dbname": database.name,
        "database.user": database.user,
        "database.sslmode": database.ssl_mode,
        **({"database.sslrootcert": str(database.ca_file)} if database.ssl_mode.startswith("verify") else {}),
        # The worker looks it up in its own environment, so the topic that keeps this has no secret.
        **({"database.password": "${env:ALERTS_BANK__PASSWORD}"} if database.password else {}),
        "slot.name": own.name,
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        "topic.prefix": own.name,
        "table.include.list": ",".join(read),
        "message.key.columns": f"{BOOKINGS}:{_KEYS[BOOKINGS]}",
        # Also where the slot was lost, with a database that was restored.
        "snapshot.mode": "when_needed",
        "heartbeat.interval.ms": str(own.heartbeat),
        "heartbeat.action.query": _HEARTBEAT,
        "tombstones.on.delete": "true",
        "poll.interval.ms": "50",
        # A database that is away is waited for.
        "errors.max.retries": "-1",
        "retriable.restart.connector.wait.ms": "1000",
        "exactly.once.support": "required",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "transforms": "row,customer,account",
        "transforms.row.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.row.delete.tombstone.handling.mode": "delete-to-tombstone",
        "transforms.row.add.fields": "op,source.ts_ms",
        **_key("customer", by_customer),
        **_key("account", others),
        "producer.override.compression.type": "lz4",
        "producer.override.max.request.size": str(LARGEST_RECORD),
        # Of its heartbeats; the others are there.
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": str(config.kafka.replication_factor),
    }


def _key(name: str, topics: str) -> dict[str, str]:
    """Make a field of the key the key, on some topics only: heartbeats have other ones."""
    return {
        f"transforms.{name}.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
        f"transforms.{name}.field": f"{name}_id",
        f"transforms.{name}.predicate": f"of_{name}",
        "predicates": "of_customer,of_account",
        f"predicates.of_{name}.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        f"predicates.of_{name}.pattern": topics.replace(".", r"\."),
    }


def topics(config: Config) -> dict[str, Topic]:
    """The topics it writes to: as many partitions as those they become, so a key stays in its partition."""
    return {capture(config).topic(table): config.topics.all()[key] for table, key in tables(config).items()}


def create_topics(config: Config) -> None:
    """Create the topics that are not there yet.

    Raises:
        CaptureError: Kafka does not answer, or refuses.
    """
    wanted = []
    for name, topic in topics(config).items():
        settings = {
            "cleanup.policy": topic.cleanup,
            "min.insync.replicas": str(config.kafka.min_insync_replicas),
            "max.message.bytes": str(LARGEST_RECORD),
            **({"retention.ms": str(topic.retention)} if topic.cleanup == "delete" else {}),
        }
        wanted.append(NewTopic(name, topic.partitions, config.kafka.replication_factor, config=settings))
    client = admin(config)
    try:
        existing = client.list_topics(timeout=_TIMEOUT).topics
    except KafkaException as error:
        raise CaptureError(f"Kafka does not answer: {error.args[0].str()}") from error
    wanted = [topic for topic in wanted if topic.topic not in existing]
    if not wanted:
        return  # Made by somebody with the right to: asking once more would need it, too.
    for name, future in client.create_topics(wanted, request_timeout=_TIMEOUT).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise CaptureError(f"topic {name} cannot be created: {error.args[0].str()}") from error


def register(config: Config) -> bool:
    """Give Kafka Connect the connector, or what changed of it; returns whether there was anything to do.

    The connector's topics are there afterwards.

    Raises:
        CaptureError: It or Kafka does not answer, or refuses.
    """
    create_topics(config)
    path, wanted = f"/connectors/{capture(config).name}/config", settings(config)
    found = _call(config, "GET", path)
    if found is not None and {**wanted, "name": capture(config).name} == found:
        return False
    _call(config, "PUT", path, wanted)
    return True


def status(config: Config) -> Status:
    """How the connector is.

    Raises:
        CaptureError: Kafka Connect does not answer.
    """
    answer = _call(config, "GET", f"/connectors/{capture(config).name}/status")
    if answer is None:
        return Status(known=False, running=False, failed=False, reason="")
    parts = [answer["connector"], *answer["tasks"]]
    traces = [part.get("trace", "") for part in parts if part["state"] == "FAILED"]
    return Status(
        known=True,
        running=len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts),
        failed=bool(traces),
        reason=(traces[0].splitlines() or ["no reason given"])[0] if traces else "",
    )


def restart(config: Config) -> None:
    """Start again what of the connector has failed.

    Raises:
        CaptureError: Kafka Connect does not answer, or refuses.
    """
    name = capture(config).name
    _call(config, "POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")


def answers(config: Config) -> bool:
    """Whether Kafka Connect answers and takes connectors."""
    try:
        return _call(config, "GET", "/connectors") is not None
    except CaptureError:
        return False


def running(config: Config, timeout: float = 60.0) -> bool:
    """Wait until the connector runs; returns whether it does within `timeout` seconds."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if status(config).running:
                return True
        except CaptureError:
            pass
        time.sleep(0.1)
    return False


def _call(config: Config, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """The JSON of an answer; None where there is none, or no such thing."""
    url = f"{capture(config).connect_url.rstrip('/')}{path}"
    # While its workers find each other, Kafka Connect refuses with a conflict: that passes.
    end = time.monotonic() + _TIMEOUT
    while True:
        try:
            answer = httpx2.request(method, url, json=body, timeout=_TIMEOUT)
        except httpx2.HTTPError as error:
            raise CaptureError(f"Kafka Connect at {url}: {error}. Is it up? See `alerts status`.") from error
        if answer.status_code != 409 or time.monotonic() > end:
            break
        time.sleep(0.2)
    if answer.status_code == 404 and method == "GET":
        return None
    if answer.is_error:
        raise CaptureError(f"Kafka Connect at {url}: {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None
