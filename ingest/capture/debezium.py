"""The Debezium connector's configuration: the tables it reads, and the topics it writes.

A topic has a record for each change of a row: the key is the customer's or the account's id, or the number,
as plain text, the value the row as JSON with its operation in `__op` (c: created, u: updated, r: read for a
snapshot), or null for a deleted row. Within a key, records are in the order of the commits. Kafka Connect
writes each of them once, by transactions (its worker has `exactly.once.source.support`), so an old version
never comes after a newer one.
"""

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from account_alerts.config import LARGEST_RECORD, Config

SETTINGS = "published.alert_settings"
AUTHORIZATIONS = "published.account_authorizations"
BOOKINGS = "public.bookings"
OPT_OUTS = "public.sms_opt_outs"
"""The tables whose changes are published."""
HEARTBEAT = "published.heartbeat"
"""The table that the connector writes itself: what it writes must come out of it again."""
_KEYS = {
    SETTINGS: "customer_id",
    AUTHORIZATIONS: "account_id",
    BOOKINGS: "account_id",
    OPT_OUTS: "number",
}
_TOPICS = {
    SETTINGS: "alert_settings",
    AUTHORIZATIONS: "account_authorizations",
    BOOKINGS: "account_entries",
    OPT_OUTS: "sms_opt_outs",
}
PUBLICATION = "alerts"
"""What PostgreSQL calls the tables whose changes may be read; the migrations make it."""
_HEARTBEAT = (
    f"INSERT INTO {HEARTBEAT} AS there (beat_at, beats) VALUES (now(), 1) "
    "ON CONFLICT (only_row) DO UPDATE SET beat_at = now(), beats = there.beats + 1"
)

_BEATS_ARE_KEPT = {"retention.ms": "86400000", "segment.ms": "3600000"}
"""A day: so long does a publisher that begins anew see that beats were lost."""


def tables(config: Config) -> dict[str, str]:
    """Map each table that is read to the configuration's key of the topic it becomes."""
    wanted = dict(_TOPICS)
    if not config.require("capture").bookings:
        del wanted[BOOKINGS]
    return wanted


def connector_settings(config: Config) -> dict[str, str]:
    """Make the connector's configuration, as Kafka Connect takes it; there is no secret in it."""
    own, database, read = config.require("capture"), config.require("bank"), tables(config)
    topics: dict[str, list[str]] = {}
    for table in read:
        topics.setdefault(_KEYS[table], []).append(own.topic(table))
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
        "table.include.list": ",".join([*read, HEARTBEAT]),
        "message.key.columns": f"{BOOKINGS}:{_KEYS[BOOKINGS]}",
        # Also where the slot was lost, with a database that was restored.
        "snapshot.mode": "when_needed",
        "heartbeat.interval.ms": str(own.heartbeat),
        "heartbeat.action.query": _HEARTBEAT,
        "tombstones.on.delete": "true",
        "poll.interval.ms": "50",
        # An unreachable database is waited for.
        "errors.max.retries": "-1",
        "retriable.restart.connector.wait.ms": "1000",
        "exactly.once.support": "required",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "transforms": ",".join(("row", *topics)),
        "transforms.row.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.row.delete.tombstone.handling.mode": "delete-to-tombstone",
        "transforms.row.add.fields": "op,source.ts_ms",
        "predicates": ",".join(f"of_{field}" for field in topics),
        **{name: value for field, of in topics.items() for name, value in _key(field, of).items()},
        "producer.override.compression.type": "lz4",
        "producer.override.max.request.size": str(LARGEST_RECORD),
        # For the topic of its heartbeats; the others exist.
        "topic.creation.default.partitions": "1",
        "topic.creation.default.replication.factor": str(config.kafka.replication_factor),
    }


def _key(field: str, topics: list[str]) -> dict[str, str]:
    """Make one field of the key the key, on some topics only: those of heartbeats have others."""
    return {
        f"transforms.{field}.type": "org.apache.kafka.connect.transforms.ExtractField$Key",
        f"transforms.{field}.field": field,
        f"transforms.{field}.predicate": f"of_{field}",
        f"predicates.of_{field}.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        f"predicates.of_{field}.pattern": "|".join(topics).replace(".", r"\."),
    }


def new_topics(config: Config) -> list[NewTopic]:
    """List its topics, with as many partitions as those they become, so that a key stays in its partition."""
    capture = config.require("capture")
    replication = {"min.insync.replicas": str(config.kafka.min_insync_replicas)}
    beats = {**replication, "cleanup.policy": "delete", **_BEATS_ARE_KEPT}
    wanted = [NewTopic(capture.topic(HEARTBEAT), 1, config.kafka.replication_factor, config=beats)]
    for table, key in tables(config).items():
        topic = config.topics.all()[key]
        settings = {
            **replication,
            "cleanup.policy": topic.cleanup,
            "max.message.bytes": str(LARGEST_RECORD),
            **({"retention.ms": str(topic.retention)} if topic.cleanup == "delete" else {}),
        }
        wanted.append(
            NewTopic(capture.topic(table), topic.partitions, config.kafka.replication_factor, config=settings)
        )
    return wanted
