"""The configuration of what comes in: the bridge, change data capture, the clicks endpoint."""

from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from account_alerts.config.types import (
    PREFIX,
    THIS_MACHINE,
    Duration,
    LocalPort,
    Port,
    Positive,
    Section,
    Text,
)
from account_alerts.model.alerts import EntryType
from account_alerts.model.time_zones import find_zone


def _time_zone(name: str) -> str:
    return find_zone(name).key


TimeZone = Annotated[Text, AfterValidator(_time_zone)]
"""A name of IANA's time zone database."""


class Bridge(Section):
    """The account entry bridge: messages of a queue (AMQP 1.0) to bookings."""

    url: Annotated[Text, LocalPort("queue_port", "amqp://localhost:{}")]
    """`amqp://host:port`, or `amqps://host:port` for TLS."""
    address: Text = "bookings"
    """The queue's name at the broker."""
    username: SecretStr | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """PEM file of the authorities that TLS trusts; without it the system's."""
    max_unsettled: Positive = 1_000
    """Messages that one process has taken and Kafka has not acknowledged yet, at most."""
    max_message: Annotated[int, Field(ge=1_000, le=10_000_000)] = 1_048_576
    """Bytes of a message that is still read; a longer one is a dead letter."""
    heartbeat: Duration = 10_000
    """A broker that is silent for so long is taken for gone."""
    time_zone: TimeZone = "UTC"
    """What times in messages mean that say no offset from UTC."""
    transaction_codes: dict[Text, EntryType] = Field(default_factory=dict)
    """The bank's own transaction codes (BkTxCd/Prtry/Cd of camt.054), and the entry type of each; `*` stands
    for any characters, and the first that fits counts, before ISO 20022's code."""
    management: Text | None = None
    """The address at which Artemis answers how many messages wait; None for other brokers."""
    metrics_port: Port | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("url is not like amqps://mq.example.com:5671 (the queue's name is 'address')")
        if parts.username or parts.password:
            raise ValueError(
                f"url holds a user: leave it out; set {PREFIX}BRIDGE__USERNAME and {PREFIX}BRIDGE__PASSWORD"
            )
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.username is not None and parts.scheme != "amqps":
            raise ValueError("a password goes over TLS only: make it an amqps:// url")
        return self


class Capture(Section):
    """Change data capture: the bank's tables, by Kafka Connect, to the topics of the contract."""

    connect_url: Annotated[Text, LocalPort("connect_port", "http://localhost:{}")]
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] = "bank"
    """Of the connector, its topics' prefix and its replication slot; a new name takes a new snapshot."""
    bookings: bool = True
    """Whether the table of bookings feeds `account-entries`, beside the queue."""
    oldest_booking: Duration = 86_400_000
    """Of a snapshot, bookings older than this are passed over. No absence of Kafka Connect may be longer."""
    heartbeat: Duration = 10_000
    """How often change data capture shows that it gets on, though nothing changes."""
    records_per_second: Positive = 5_000
    """At most so many does a publisher write, so that a snapshot leaves room for bookings."""
    check_interval: Duration = 5_000
    """How often a publisher looks whether the connector has failed, and starts it again."""
    metrics_port: Port | None = None
    """Where a publisher shows its metrics to Prometheus."""

    def topic(self, table: str) -> str:
        """Return the topic of a table's changes, such as of `public.bookings`."""
        return f"{self.name}.{table}"


class Clicks(Section):
    """The endpoint that takes events of the bank's web pages and app, and the reminders made of them."""

    host: Text
    port: Annotated[Port, LocalPort("clicks_port")]
    metrics_port: Annotated[Port, LocalPort("clicks_metrics_port")] = 9405
    """Of metrics and health, which are not for the web."""
    authentication: Literal["none", "token"]
    secret: SecretStr | None = None
    """What tokens are signed with; from the environment, shared with the bank's login."""
    origins: tuple[Annotated[str, StringConstraints(pattern=r"^https?://[^/*\s]+$")], ...] = ()
    """Origins of web pages that may send events: scheme, host and port."""
    largest_batch: Positive = 100
    """Events in one request."""
    largest_body: Positive = 262_144
    """Bytes of one request."""
    request_within: Annotated[Duration, Field(ge=1_000)] = 10_000
    """How long a request may take to come, its head and its body each; then the connection is closed."""
    acknowledged_within: Annotated[Duration, Field(ge=100)] = 5_000
    """How long a request waits for Kafka before it gets 503."""
    retry_after: Annotated[Duration, Field(ge=1_000)] = 5_000
    """`Retry-After` of a 503 answer."""
    reminder_after: Annotated[Duration, Field(ge=1_000, le=7 * 86_400_000)] = 1_800_000
    """How long after its beginning an application that was not finished is reminded of."""
    reminders_per_day: Positive = 20
    """How many reminders a customer gets within 24 hours, at all addresses together; others are left out."""
    parallelism: Positive = 1
    """Of the job that makes reminders."""

    @model_validator(mode="after")
    def _authenticated(self) -> Self:
        if self.authentication == "none" and self.host not in THIS_MACHINE:
            raise ValueError(
                "without authentication anybody may send events in a customer's name: make authentication "
                f"'token', or host one of {', '.join(THIS_MACHINE)}"
            )
        return self
