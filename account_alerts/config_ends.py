"""The configuration of the chain's two ends: what bookings and settings come from, and where alerts go."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

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
    ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    """Who may vouch for the server, where `ssl_mode` verifies; PEM. Default: the system's authorities."""


class Capture(Section):
    """Change data capture: the bank's tables, by Kafka Connect, to the topics of the contract."""

    connect_url: Text
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
        """The topic of a table's changes, such as of `public.bookings`."""
        return f"{self.name}.{table}"


class Clicks(Section):
    """The endpoint that takes events of the bank's web pages and app, and the reminders made of them."""

    host: Text
    port: Port
    authentication: Literal["none", "token"]
    secret: SecretStr | None = None
    """What tokens are signed with; from the environment, shared with the bank's login."""
    origins: tuple[Annotated[str, StringConstraints(pattern=r"^https?://[^/*\s]+$")], ...] = ()
    """Origins of web pages that may send events: scheme, host and port."""
    largest_batch: Positive = 100
    """Events in one request."""
    largest_body: Positive = 262_144
    """Bytes of one request."""
    acknowledged_within: Annotated[Duration, Field(ge=100)] = 5_000
    """How long a request waits for Kafka before the answer is: not now."""
    retry_after: Annotated[Duration, Field(ge=1_000)] = 5_000
    """When a refused sender is told to come again."""
    reminder_after: Annotated[Duration, Field(ge=1_000, le=7 * 86_400_000)] = 1_800_000
    """How long after its beginning an application that was not finished is reminded of."""
    heartbeat_interval: Annotated[Duration, Field(ge=10)] = 1_000
    """How often the job writes the time into each partition: what reminders go by on a quiet night."""
    parallelism: Positive = 1
    """Of the job that makes reminders."""


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


class Rates(Section):
    """How many messages a second each process of a channel may hand over; None: as many as there are."""

    email: Annotated[float, Field(gt=0)] | None = None
    sms: Annotated[float, Field(gt=0)] | None = None
    push: Annotated[float, Field(gt=0)] | None = None


class Senders(Gateways):
    """The processes that hand alerts over to e-mail, SMS and push."""

    longest_held: Duration
    """An alert that could not be sent for longer (quiet hours, digest, a gateway that is down) is recorded
    and not sent."""
    look_again_after: Duration = 300_000
    """An alert that is sent so much later than it was raised is looked at again: authorization, address and
    setting. One that was held always is."""
    digest_at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "08:00"
    """When a daily digest goes out, by the customer's clock."""
    always_sent: tuple[Text, ...] = ()
    """Alert types that go out at once whatever the customer's quiet hours, snooze and digest."""
    lease: Duration = 150_000
    """After a claim, when another process takes an alert over, as its sender must have died."""
    hand_over_timeout: Duration = 60_000
    """How long a gateway may take for a message, its own waiting included. Where it has not answered by then,
    nobody knows whether it has the message: longer than the gateway's own time-outs."""
    in_flight: Positive = 100
    """Alerts that a process has on their way at once; a gateway has to get through so many within
    `hand_over_timeout`."""
    rates: Rates = Rates()
    retry_first: Duration = 1_000
    retry_longest: Duration = 300_000
    """Between attempts: first so long, then twice as long after each, up to the longest."""
    longest_probe: Duration = 5_000
    """While a gateway is down, how often it is tried at least."""
    keep: Duration = 90 * 86_400_000
    """How long the ledger keeps what became of an alert, and with it what is personal."""
    email_metrics_port: Port = 9401
    sms_metrics_port: Port = 9402
    push_metrics_port: Port = 9403
    profiles_metrics_port: Port = 9404

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.lease < 2 * self.hand_over_timeout:
            raise ValueError("lease must be at least twice hand_over_timeout: make it longer")
        return self

    def rate(self, channel: str) -> float | None:
        """Messages a second that a process of a channel (`EMAIL`) may hand over."""
        rate: float | None = getattr(self.rates, channel.lower())
        return rate

    def metrics_port(self, process: str) -> int:
        """Where a process (`email`, `sms`, `push`, `profiles`) tells its metrics."""
        port: int = getattr(self, f"{process}_metrics_port")
        return port
