"""What a metric is declared by: its name, labels, help, and when somebody has to look at it."""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

FLINK_PREFIX = "flink_taskmanager_job_task_operator_"
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Alarm:
    """When somebody has to look at a metric."""

    name: str
    expression: str
    """PromQL; `{series}` stands for the metric's name as Prometheus has it."""
    hold: str = "0m"
    """How long the expression must be true before the alarm goes off."""


@dataclass(frozen=True)
class Metric:
    """What every declaration has."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    alarm: Alarm | None = None
    kind: Kind = "counter"
    operator: str = ""
    """The name of the Flink operator that registers it; empty: a service does."""

    @property
    def series(self) -> str:
        """The name as Prometheus has it."""
        base = f"{FLINK_PREFIX}{self.name}" if self.operator else self.name
        return f"{base}_bucket" if self.kind == "histogram" else base


@dataclass(frozen=True)
class CounterMetric(Metric):
    """A number that only grows; its name ends with `_total`."""

    def create(self, registry: CollectorRegistry = REGISTRY) -> Counter:
        """Make the Prometheus object."""
        return Counter(self.name, self.help, self.labels, registry=registry)


@dataclass(frozen=True)
class GaugeMetric(Metric):
    """A number that goes up and down."""

    kind: Kind = "gauge"

    def create(self, registry: CollectorRegistry = REGISTRY) -> Gauge:
        """Make the Prometheus object."""
        return Gauge(self.name, self.help, self.labels, registry=registry)


@dataclass(frozen=True)
class HistogramMetric(Metric):
    """How many of something took how long."""

    kind: Kind = "histogram"
    buckets: tuple[float, ...] = Histogram.DEFAULT_BUCKETS

    def create(self, registry: CollectorRegistry = REGISTRY) -> Histogram:
        """Make the Prometheus object."""
        return Histogram(self.name, self.help, self.labels, buckets=self.buckets, registry=registry)
