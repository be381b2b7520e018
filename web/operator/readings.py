"""What one look at each part of the chain gave: plain figures, and when they were taken.

Times are milliseconds UTC, durations milliseconds. What a part does not say is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """The newest answer of a source, which may be old: its time says so."""

    value: T | None = None
    """None: it has never answered."""
    at: int = 0
    """When it answered last."""
    problem: str = ""
    """What went wrong since; empty while it answers."""


@dataclass(frozen=True)
class QueueFigures:
    """The bank's message queue."""

    waiting: int
    unsettled: int
    """Messages that a bridge has and has not settled."""
    bridges: int


@dataclass(frozen=True)
class TopicFigures:
    """One topic."""

    records: int
    """Sum of the end offsets."""
    kept: int
    """Records that are still there, at most."""
    rate: float | None
    """Records a second since the look before; None at the first look."""


@dataclass(frozen=True)
class GroupFigures:
    """One consumer group."""

    members: int
    lag: Mapping[str, int]
    """Records that are not committed, by topic."""

    @property
    def waiting(self) -> int:
        """Records of all topics that are not committed."""
        return sum(self.lag.values())


@dataclass(frozen=True)
class KafkaFigures:
    """Topics and consumer groups, by name; a minute is its first millisecond."""

    topics: Mapping[str, TopicFigures]
    groups: Mapping[str, GroupFigures]
    minutes: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """Records by topic and minute, the last hour."""


@dataclass(frozen=True)
class Checkpoint:
    """A completed checkpoint."""

    at: int
    duration: int


UNREACHABLE = "UNREACHABLE"
"""The state of a job whose JobManager does not answer, while another one's does."""


@dataclass(frozen=True)
class JobFigures:
    """One job of the chain."""

    name: str
    state: str
    """Flink's, or `STARTING` while not all tasks run, or `NOT SUBMITTED`."""
    waiting: int | None = None
    """Records that its sources have not read."""
    restarts: int | None = None
    """Since it was submitted."""
    failures: tuple[int, ...] = ()
    """When it failed."""
    checkpoints: tuple[Checkpoint, ...] = ()
    """The newest completed ones, in order."""
    failed_checkpoints: int = 0


@dataclass(frozen=True)
class Spread:
    """The middle of durations, and what one in a hundred exceeds; milliseconds."""

    p50: float | None = None
    p99: float | None = None


NO_SPREAD = Spread()
"""Of nothing."""


@dataclass(frozen=True)
class ChannelFigures:
    """What the ledger says of one channel; `last minute` goes by the time of receipt."""

    sent: int = 0
    """Handed to the gateway, of the alerts received in the last minute."""
    written: Spread = NO_SPREAD
    """From raising an alert to Kafka."""
    sending: Spread = NO_SPREAD
    """From Kafka to the gateway, of alerts never deferred or retried."""
    deferred: int = 0
    retrying: int = 0
    overdue: int = 0
    """Those that should have been sent."""
    oldest_overdue: int | None = None
    """For how long, milliseconds."""


@dataclass(frozen=True)
class LedgerFigures:
    """What the ledger says of the last hour."""

    channels: Mapping[str, ChannelFigures]
    whole: Spread = NO_SPREAD
    """From raising an alert to its gateway, of all channels."""
    minutes: Mapping[int, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    """Alerts by minute, then by channel and type."""


@dataclass(frozen=True)
class ServiceFigures:
    """What a process shows on its metrics endpoint."""

    gateways: Mapping[str, bool] = field(default_factory=dict)
    """Whether each takes messages, by route."""
    connector: bool | None = None
    """Of a publisher: whether change data capture runs."""


@dataclass(frozen=True)
class CaptureFigures:
    """Change data capture."""

    running: bool
    reason: str = ""


@dataclass(frozen=True)
class Readings:
    """All sources; None: this environment has no such part."""

    kafka: Reading[KafkaFigures]
    jobs: Reading[tuple[JobFigures, ...]]
    ledger: Reading[LedgerFigures] | None = None
    queue: Reading[QueueFigures] | None = None
    bank: Reading[float] | None = None
    """Milliseconds in which the bank's database answers."""
    capture: Reading[CaptureFigures] | None = None
    services: Mapping[str, Reading[ServiceFigures]] = field(default_factory=dict)
    """By the name of the service."""
