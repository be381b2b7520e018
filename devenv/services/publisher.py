"""The local publisher: one process, which turns changes of the bank's tables into records of the contract."""

import shlex
import sys

from confluent_kafka import ConsumerGroupState, KafkaException

from account_alerts.config import PROJECT, Config
from account_alerts.kafka import groups
from account_alerts.kafka.clients import admin
from devenv.layout import Layout

_SECONDS = 5


def write(config: Config, layout: Layout) -> str:
    """Return the shell command that runs it."""
    run = [sys.executable, "-m", "ingest.capture", "--config", str(layout.config)]
    return f"cd {shlex.quote(str(PROJECT))} && exec {shlex.join([*run, '--instance', 'local'])}"


def ready(config: Config) -> bool:
    """Tell whether it has its partitions."""
    client = admin(config)  # Its requests end with it.
    try:
        [future] = client.describe_consumer_groups([groups.PUBLISHER], request_timeout=_SECONDS).values()
        group = future.result()
    except KafkaException:
        return False
    assigned = [member.assignment.topic_partitions for member in group.members if member.assignment]
    return bool(group.state == ConsumerGroupState.STABLE and any(assigned))


def where(config: Config) -> str:
    """Return the topics it writes."""
    return f"{config.topics.alert_settings.name}, {config.topics.account_authorizations.name}"
