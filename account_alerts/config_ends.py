"""The configuration of the chain's two ends: what bookings and settings come from, and where alerts go."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from account_alerts.config_gateways import Gateways
from account_alerts.config_model import Duration, Port, Positive, Section, Text


class Database(Section):
    """How to reach a PostgreSQL database; the password comes from the environment."""

    host: Text
    port: Port
    name: Text
    user: Text
    password: SecretStr | None = None
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"


class Capture(Section):
    """Change data capture: the bank's tables, by Kafka Connect, to the topics of the contract."""

    connect_url: Text
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")] = "bank"
    """Of the connector, its topics' prefix and its replication slot; a new name takes a new snapshot."""
    bookings: bool = True
    """Whether the table of bookings feeds `account-entries`, beside the queue."""
    heartbeat: Duration = 10_000
    """How often change data capture shows that it gets on, though nothing changes."""
    records_per_second: Positive = 5_000
    """At most so many does a publisher write, so that a snapshot leaves room for bookings."""
    check_interval: Duration = 5_000
    """How often a publisher looks whether the connector has failed, and starts it again."""
    metrics_port: Port | None = None
    """Where a publisher shows its metrics to Prometheus."""

    def topic(self, table: str) -> str:
        """The topic of a table's changes, such as of `public.bookings`."""
        return f"{self.name}.{table}"


class Bridge(Section):
    """The account entry bridge: messages of a queue (AMQP 1.0) to bookings."""

    url: Text


class Clicks(Section):
    """The endpoint that takes events of the bank's web pages and app."""

    host: Text
    port: Port


class Devices(Section):
    """The device service, and how the job device-resolver asks it."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://[^/]+")]
    token: SecretStr | None = None
    """Sent to the service as a bearer token; from the environment."""
    timeout: Annotated[Duration, Field(ge=1)]
    """Of one call, from sending it to the last byte of the answer."""
    attempts: Positive
    """After so many failed ones the pauses grow no more: each is `longest_pause` from then on, for ever."""
    longest_pause: Annotated[Duration, Field(ge=1)]
    in_flight: Positive
    """Calls at a time, of each parallel part of the job."""
    cache: Duration
    """How long an answer holds: a device that was removed is told so long, a new one not told."""
    waiting: Positive
    """Alerts that wait for answers, in each parallel part, before no more are read."""
    parallelism: Positive
    checkpoint_interval: Duration


class Senders(Gateways):
    """The processes that hand alerts over to e-mail, SMS and push."""

    longest_held: Duration
    """An alert that was held (quiet hours, digest) for longer is recorded and not sent."""
