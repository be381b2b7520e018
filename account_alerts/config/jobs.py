"""The Flink cluster and its jobs."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
)

from account_alerts.config.types import Duration, LocalPort, Positive, PythonMode, Section, Text


class Devices(Section):
    """The device service, and how the job device-resolver asks it."""

    url: Annotated[
        str, StringConstraints(pattern=r"^https?://[^/]+"), LocalPort("devices_port", "http://localhost:{}")
    ]
    token: SecretStr | None = None
    """Sent to the service as a bearer token; from the environment."""
    timeout: Annotated[Duration, Field(ge=1)]
    """Of one call, from sending it to the last byte of the answer."""
    attempts: Positive
    """After so many failed ones the pauses grow no more: each is `max_backoff` from then on, for ever."""
    max_backoff: Annotated[Duration, Field(ge=1)]
    in_flight: Positive
    """Calls at a time, of each parallel part of the job."""
    cache: Duration
    """Lifetime of a cached answer: until it ends, removed devices still get alerts and new ones get none."""
    queue_capacity: Positive
    """Alerts that wait for answers, in each parallel part, before no more are read."""
    parallelism: Positive
    checkpoint_interval: Duration


_LONGEST_WINDOW_MS = 1_440 * 60_000


class Rules(Section):
    """How bookings and rules meet; all durations in milliseconds."""

    max_wait: Duration
    """Where the rules have not got on for so long, bookings go on with the newest rules known."""
    max_lag: Duration = 300_000
    """A booking waits for rules that get on, but lag, at most so long."""
    probe_interval: Annotated[Duration, Field(ge=1)]
    """How often Kafka is asked where the topics of authorizations and settings end."""
    effect_delay: Annotated[Duration, Field(lt=1000)]
    """A booking is joined with the rules as of so long before it."""
    clock_skew: Duration
    """How far the clocks of brokers and TaskManagers may be apart without effect."""
    count_lateness: Duration
    """How late a card booking may come and still find all that belongs into its window."""

    @property
    def count_reach(self) -> int:
        """Milliseconds a card booking is counted for: the longest window, and for bookings that come late."""
        return _LONGEST_WINDOW_MS + self.count_lateness


class AlertingJob(Section):
    """The job that turns bookings into alerts."""

    parallelism: Positive
    python_mode: PythonMode
    buffer_timeout: Duration
    state_backend: Literal["hashmap", "rocksdb"]
    checkpoint_interval: Duration
    compress_checkpoints: bool
    """Smaller checkpoints and a quicker recovery where millions of accounts are on the heap; alerts that
    come during a checkpoint wait longer."""


class AnalystRuleJobs(Section):
    """The jobs of analysts' rules: one for each, and one that finds their customers."""

    parallelism: Positive
    rule_parallelism: Positive
    state_backend: Literal["hashmap", "rocksdb"]
    python_mode: PythonMode
    checkpoint_interval: Duration
    hits_per_second: Positive = 500
    """Of each rule: what it finds faster waits in its own job."""
    two_people: bool = True
    """A rule starts only if somebody else agreed to its text, on the operators' page."""


class Flink(Section):
    """The cluster that runs the jobs."""

    rest_url: Annotated[Text, LocalPort("flink_rest_port", "http://localhost:{}")]
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further Flink options, written into the cluster's config.yaml as they are."""
    healthy_after: Duration = 10_000
    """How long a version of `alerts upgrade` must run without a failure, or the one before runs again.
    One that fails at its first records has done so by then, where there are any."""
