"""Kafka and its topics."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    model_validator,
)

from account_alerts.config.types import PREFIX, Duration, LocalPort, Positive, Section, Text
from account_alerts.model.alerts import Channel

READ_COMMITTED = {"isolation.level": "read_committed"}
"""Of every consumer, whatever the configuration says: what an aborted transaction wrote was never written."""


class Kafka(Section):
    """How to reach Kafka, and how values are encoded."""

    bootstrap_servers: Annotated[Text, LocalPort("kafka_port", "localhost:{}")]
    encoding: Literal["avro", "avro-confluent"]
    schema_registry_url: Text | None = None
    replication_factor: Positive
    min_insync_replicas: Positive
    client: dict[str, str] = Field(default_factory=dict)
    """Properties every client gets, Java and librdkafka alike (`security.protocol`, `sasl.mechanism`)."""
    java_client: dict[str, str] = Field(default_factory=dict)
    """Properties of the Java clients only (`ssl.truststore.location`)."""
    librdkafka_client: dict[str, str] = Field(default_factory=dict)
    """Properties of the Python clients only (`ssl.ca.location`)."""
    username: SecretStr | None = None
    password: SecretStr | None = None
    lost_after: Annotated[Duration, Field(gt=0)] = 30_000
    """A Python client that has known no broker for so long finds none any more: its process ends."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.encoding == "avro-confluent" and self.schema_registry_url is None:
            raise ValueError("encoding avro-confluent needs schema_registry_url")
        if self.min_insync_replicas > self.replication_factor:
            raise ValueError(
                "min_insync_replicas is greater than replication_factor: nothing could be written"
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.client.get("security.protocol", "").upper().startswith("SASL") and self.username is None:
            raise ValueError(
                f"security.protocol asks for SASL: set {PREFIX}KAFKA__USERNAME and {PREFIX}KAFKA__PASSWORD"
            )
        return self

    def java(self) -> dict[str, str]:
        """Return properties for a Java client, `bootstrap.servers` and secrets included."""
        properties = {
            "bootstrap.servers": self.bootstrap_servers,
            **self.client,
            **self.java_client,
            **READ_COMMITTED,
        }
        if self.username is not None and self.password is not None:
            module = "org.apache.kafka.common.security.plain.PlainLoginModule"
            if self.client.get("sasl.mechanism", "").startswith("SCRAM"):
                module = "org.apache.kafka.common.security.scram.ScramLoginModule"
            user, password = (
                secret.get_secret_value().replace("\\", "\\\\").replace('"', '\\"')
                for secret in (self.username, self.password)
            )
            properties["sasl.jaas.config"] = f'{module} required username="{user}" password="{password}";'
        return properties

    def librdkafka(self) -> dict[str, str]:
        """Return properties for a confluent-kafka client, `bootstrap.servers` and secrets included."""
        properties = {"bootstrap.servers": self.bootstrap_servers, **self.client, **self.librdkafka_client}
        if self.username is not None and self.password is not None:
            properties["sasl.username"] = self.username.get_secret_value()
            properties["sasl.password"] = self.password.get_secret_value()
        return properties


LARGEST_RECORD = 20_000_000
"""Bytes of the records that the jobs write: longer than any made of records of Kafka's own limit, 1 MiB."""


class Topic(Section):
    """One topic as it is created."""

    name: Text
    partitions: Positive
    cleanup: Literal["delete", "compact"]
    retention: Duration | None = None
    """How long records stay; for a compacted topic, how long an overwritten one or a tombstone stays."""


class Topics(Section):
    """All topics: those of the data contract, those of analysts' rules, and the clicks."""

    account_entries: Topic
    account_authorizations: Topic
    alert_settings: Topic
    outbound_email: Topic
    outbound_sms: Topic
    outbound_push: Topic
    outbound_device_push: Topic
    dead_letters: Topic
    analyst_rules: Topic
    rule_hits: Topic
    quarantined_alerts: Topic
    click_events: Topic
    sms_opt_outs: Topic

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [topic.name for topic in self.all().values()]
        if len(set(names)) < len(names):
            raise ValueError("two topics have the same name")
        bookings = self.account_entries.retention
        for key, topic in self.all().items():
            if topic.retention is None and topic.cleanup == "delete":
                raise ValueError(f"{key}.retention is missing: say how long its records stay, such as 7d")
            if (
                topic.cleanup == "compact"
                and bookings is not None
                and (topic.retention or bookings) < bookings
            ):
                raise ValueError(
                    f"{key}.retention is shorter than account_entries.retention: a replay would "
                    "not find the versions it needs; make it at least as long, or leave it out"
                )
        return self

    def map_channels(self) -> dict[str, Topic]:
        """Map each channel that alerts go out by to its topic."""
        return {channel.value: getattr(self, f"outbound_{channel.lower()}") for channel in Channel}

    def all(self) -> dict[str, Topic]:
        """Return every topic by its key in the configuration."""
        return {key: getattr(self, key) for key in type(self).model_fields}
