"""Creating the topics of the data contract."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic, OffsetSpec  # type: ignore[attr-defined]

from account_alerts.config import LARGEST_RECORD, Config
from account_alerts.kafka.clients import KafkaUnreachableError, admin
from account_alerts.model.errors import OperationError

_TIMEOUT = 15
"""Seconds."""
_USABLE_SECONDS = 180
"""A broker that has just started takes a while on a busy machine."""
_LARGE_RECORD_TOPICS = frozenset(
    {
        "dead_letters",
        "outbound_email",
        "outbound_sms",
        "outbound_push",
        "outbound_device_push",
        "rule_hits",
        "quarantined_alerts",
    }
)
"""Those that jobs write: what is made of a record of Kafka's own limit may be longer than it."""


class TopicError(OperationError):
    """A topic is not as the configuration says; the message names it and the remedy."""


def check_partitions(config: Config, known: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Compare numbers of partitions with the configuration: they decide where a key stands.

    Args:
        config: Says how many partitions there are.
        known: The topics as Kafka lists them.
        keys: The topics to look at, by their keys in the configuration.

    Raises:
        TopicError: One is missing, or has more partitions or fewer.
    """
    for key in keys:
        topic = config.topics.all()[key]
        if topic.name not in known or known[topic.name].error is not None:
            raise TopicError(
                f"topic {topic.name} is missing, or may not be described: `alerts topics create`"
            )
        if (found := len(known[topic.name].partitions)) != topic.partitions:
            raise TopicError(
                f"topic {topic.name} has {found} partitions, topics.{key}.partitions is {topic.partitions}: "
                "correct the configuration (docs/operations/runbook.md says what depends on it)"
            )


def topic_settings(config: Config, key: str) -> dict[str, str]:
    """Return the Kafka settings a topic is created with, by the topic's key (such as `account_entries`)."""
    topic = config.topics.all()[key]
    retention = topic.retention or config.topics.account_entries.retention
    settings = {
        "cleanup.policy": topic.cleanup,
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(config.kafka.min_insync_replicas),
    }
    if key in _LARGE_RECORD_TOPICS:
        settings["max.message.bytes"] = str(LARGEST_RECORD)
    if topic.cleanup == "compact":
        # A booking's rules also say which of those before it were counted.
        kept = str((retention or 0) + config.rules.count_reach)
        return settings | {"min.compaction.lag.ms": kept, "delete.retention.ms": kept}
    return settings | {"retention.ms": str(retention)}


def reachable(config: Config, timeout: float = 1.0) -> bool:
    """Tell whether a broker answers within `timeout` seconds."""
    try:
        return bool(admin(config).list_topics(timeout=timeout).brokers)
    except KafkaException:
        return False


def create(config: Config) -> list[str]:
    """Create the topics that are not there yet; returns their names when all topics can be used.

    Those that are there stay as they are.

    Raises:
        KafkaUnreachableError: Kafka does not answer, refuses a topic, or does not make it usable in time.
        TopicError: A topic that was there has another number of partitions.
    """
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions,
            replication_factor=config.kafka.replication_factor,
            config=topic_settings(config, key),
        )
        for key, topic in config.topics.all().items()
    ]
    created = create_missing(config, wanted)
    _wait_until_usable(config)
    check_partitions(config, admin(config).list_topics(timeout=_TIMEOUT).topics, config.topics.all())
    return created


def create_missing(config: Config, wanted: Iterable[NewTopic]) -> list[str]:
    """Create those of some topics that Kafka does not have; returns their names.

    Nothing is asked of Kafka but the list where all are there: that needs no right to create topics.

    Raises:
        KafkaUnreachableError: Kafka does not answer, or refuses a topic.
    """
    client = admin(config)  # Its requests end with it.
    try:
        existing = client.list_topics(timeout=_TIMEOUT).topics
    except KafkaException as error:
        raise KafkaUnreachableError(
            f"Kafka does not answer ({error.args[0].str()}). Is it up? See `alerts status`."
        ) from error
    missing = [topic for topic in wanted if topic.topic not in existing]
    created: list[str] = []
    if not missing:
        return created
    for name, future in client.create_topics(missing, request_timeout=_TIMEOUT).items():
        try:
            future.result()
        except KafkaException as error:
            problem: KafkaError = error.args[0]
            if problem.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise KafkaUnreachableError(f"topic {name} cannot be created: {problem.str()}") from error
        else:
            created.append(name)
    return created


def _wait_until_usable(config: Config) -> None:
    """Wait until every partition answers; Kafka calls a topic created, and names its leader, before that."""
    names = {topic.name for topic in config.topics.all().values()}
    end = time.monotonic() + _USABLE_SECONDS
    while (sizes(config) or {}).keys() != names:
        if time.monotonic() > end:
            problem = f"cannot be used {_USABLE_SECONDS} s after they were created"
            raise KafkaUnreachableError(f"the topics {problem}")
        time.sleep(0.05)


def sizes(config: Config) -> dict[str, int] | None:
    """Sum up the end offsets of each topic of the contract; None when Kafka does not answer."""
    client = admin(config)
    try:
        existing = client.list_topics(timeout=2).topics
    except KafkaException:
        return None
    wanted = {
        TopicPartition(topic.name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for topic in config.topics.all().values()
        if topic.name in existing
        for number in existing[topic.name].partitions
    }
    totals: dict[str, int] = {}
    if not wanted:
        return totals
    for partition, future in client.list_offsets(wanted, request_timeout=_TIMEOUT).items():
        try:
            totals[partition.topic] = totals.get(partition.topic, 0) + future.result().offset
        except KafkaException:
            return None  # A partition without a leader: records cannot be written or read now.
    return totals
