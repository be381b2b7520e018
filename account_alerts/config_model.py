"""The sections of the configuration, their units, and what must hold between their values."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    model_validator,
)

PROJECT = Path(__file__).resolve().parent.parent
"""The project's folder; relative paths in the configuration start here."""

PREFIX = "ALERTS_"
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def parse_duration(value: object) -> int:
    """Read a duration such as `5ms`, `10s`, `15m`, `1h` or `7d`; returns milliseconds."""
    match = re.fullmatch(r"(\d+)\s*(ms|s|m|h|d)", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write a number and ms, s, m, h or d, such as 10s")
    return int(match[1]) * _MILLISECONDS[match[2]]


Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(lambda ms: f"{ms}ms")]
"""A duration: text such as `10s` in the file, milliseconds in the program."""

Memory = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*[mg]$")]
"""An amount of memory in MiB or GiB, as Java reads it: `512m`, `4g`."""

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
PythonMode = Literal["thread", "process"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kafka(Section):
    """How to reach Kafka, and how values are encoded."""

    bootstrap_servers: Text
    encoding: Literal["avro", "avro-confluent"]
    schema_registry_url: Text | None = None
    replication_factor: Positive
    min_insync_replicas: Positive
    client: dict[str, str] = {}
    """Properties every client gets, Java and librdkafka alike (`security.protocol`, `sasl.mechanism`)."""
    java_client: dict[str, str] = {}
    """Properties of the Java clients only (`ssl.truststore.location`)."""
    librdkafka_client: dict[str, str] = {}
    """Properties of the Python clients only (`ssl.ca.location`)."""
    username: SecretStr | None = None
    password: SecretStr | None = None

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
        """Properties for a Java client, `bootstrap.servers` and secrets included."""
        properties = {"bootstrap.servers": self.bootstrap_servers, **self.client, **self.java_client}
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
        """Properties for a confluent-kafka client, `bootstrap.servers` and secrets included."""
        properties = {"bootstrap.servers": self.bootstrap_servers, **self.client, **self.librdkafka_client}
        if self.username is not None and self.password is not None:
            properties["sasl.username"] = self.username.get_secret_value()
            properties["sasl.password"] = self.password.get_secret_value()
        return properties


class Topic(Section):
    """One topic as it is created."""

    name: Text
    partitions: Positive
    cleanup: Literal["delete", "compact"]
    retention: Duration | None = None
    """How long records stay; for a compacted topic, how long an overwritten one or a tombstone stays."""


class Topics(Section):
    """All topics: those of the data contract, three that analysts' rules pass through, and the clicks."""

    account_entries: Topic
    account_authorizations: Topic
    alert_settings: Topic
    alert_rules: Topic
    outbound_email: Topic
    outbound_sms: Topic
    outbound_push: Topic
    outbound_device_push: Topic
    dead_letters: Topic
    adhoc_rules: Topic
    rule_hits: Topic
    held_alerts: Topic
    click_events: Topic

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

    def of_channels(self) -> dict[str, Topic]:
        """The topic of each channel that alerts go out by."""
        return {"EMAIL": self.outbound_email, "SMS": self.outbound_sms, "PUSH": self.outbound_push}

    def all(self) -> dict[str, Topic]:
        """Every topic by its key in the configuration."""
        return {key: getattr(self, key) for key in type(self).model_fields}


_LONGEST_WINDOW_MS = 1_440 * 60_000


class Rules(Section):
    """How bookings and rules meet; all durations in milliseconds."""

    max_wait: Duration
    start_wait: Duration
    effect_delay: Annotated[Duration, Field(lt=1000)]
    heartbeat_interval: Duration
    clock_skew: Duration
    count_lateness: Duration
    """How late a card booking may come and still find all that belongs into its window."""

    @property
    def count_reach(self) -> int:
        """Milliseconds a card booking is counted for: the longest window, and for bookings that come late."""
        return _LONGEST_WINDOW_MS + self.count_lateness


class AlertRulesJob(Section):
    """The job that fills `alert-rules`."""

    parallelism: Positive
    python_mode: PythonMode
    bundle_time: Duration
    checkpoint_interval: Duration


class AlertingJob(Section):
    """The job that turns bookings into alerts."""

    parallelism: Positive
    python_mode: PythonMode
    buffer_timeout: Duration
    clock_interval: Annotated[Duration, Field(ge=1)]
    state_backend: Literal["hashmap", "rocksdb"]
    checkpoint_interval: Duration
    compress_checkpoints: bool
    """Smaller checkpoints and a quicker recovery where millions of accounts are on the heap; alerts that
    come during a checkpoint wait longer."""
    unusual_volume: Annotated[float, Field(gt=1)]
    """How many times the last hour's alerts a minute are an alarm."""
    unusual_from: Positive
    """Alerts a minute that are no alarm, whatever the last hour had."""


class AdhocJobs(Section):
    """The jobs of analysts' rules: one for each, and one that finds their customers."""

    parallelism: Positive
    rule_parallelism: Positive
    state_backend: Literal["hashmap", "rocksdb"]
    python_mode: PythonMode
    checkpoint_interval: Duration
    hits_per_second: Positive = 500
    """Of each rule: what it finds faster waits in its own job."""


class Flink(Section):
    """The cluster that runs the jobs."""

    rest_url: Text
    options: dict[str, str | int | float | bool] = {}
    """Further Flink options, written into the cluster's config.yaml as they are."""


class Local(Section):
    """The local environment: ports, memory, and the one folder that holds its state and logs."""

    state_dir: Path
    kafka_port: Port
    kafka_controller_port: Port
    flink_rest_port: Port
    flink_rpc_port: Port
    jobmanager_memory: Memory
    taskmanager_memory: Memory
    task_slots: Positive
    kafka_heap: Memory
    connect_heap: Memory = "512m"
    postgres_port: Port = 15432
    connect_port: Port = 18083
    queue_port: Port = 15672
    clicks_port: Port = 18090
    devices_port: Port = 18091
    mailbox_port: Port = 18025
    smsc_port: Port = 12775
    sms_http_port: Port = 18092
    push_port: Port = 18093
    email_metrics_port: Port = 19401
    sms_metrics_port: Port = 19402
    push_metrics_port: Port = 19403
    profiles_metrics_port: Port = 19404

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.ports().values())) < len(self.ports()):
            raise ValueError(f"two of the ports are the same: {self.ports()}")
        return self

    def ports(self) -> dict[str, int]:
        """Every port that is opened, by its key."""
        return {key: getattr(self, key) for key in type(self).model_fields if key.endswith("_port")}

    @property
    def state(self) -> Path:
        """The state folder as an absolute path."""
        return (PROJECT / self.state_dir).resolve()
