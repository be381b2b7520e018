"""The Debezium connector: what it reads of the bank's database, and on which topics it writes it.

A topic has one row a record: the key is the customer's or the account's id as plain text, the value the row
as JSON with its operation in `__op` (c: created, u: updated, r: read for a snapshot), or null for a deleted
row. Within a key, records are in the order of the commits. Kafka Connect writes each of them once, by
transactions (its worker has `exactly.once.source.support`), so an old version never comes after a newer one.
"""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from account_alerts.config import LARGEST_RECORD, Config
from account_alerts.config.ingest import Capture
from account_alerts.config.kafka import Topic
from account_alerts.kafka.clients import admin
from account_alerts.model.errors import OperationError
from account_alerts.postgres import bank

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


class CaptureError(OperationError):
    """Kafka Connect does not answer or refuses, or nothing is configured; the message says what to do."""


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
