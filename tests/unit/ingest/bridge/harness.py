"""A bridge between a broker and a Kafka in memory."""

import json
from collections.abc import Generator

from prometheus_client import CollectorRegistry

from account_alerts.config import Config
from ingest.bridge.bridge import Bridge
from ingest.bridge.metrics import Metrics
from tests.builders import entry
from tests.clock import FakeClock
from tests.unit.ingest.bridge.queue import FakeDelivery, FakeQueue, Scenario
from tests.unit.ingest.fakes import FakeProducer

WINDOW = 3


Steps = Generator[None, None, None]


class Harness:
    """A bridge between two fakes."""

    def __init__(self, config: Config) -> None:
        self.clock = FakeClock()
        self.entries = config.topics.account_entries.name
        self.dead_letters = config.topics.dead_letters.name
        self.kafka = FakeProducer([self.entries, self.dead_letters])
        self.queue = FakeQueue(self.clock)
        self.registry = CollectorRegistry()
        self.bridge = Bridge(config, self.kafka, Metrics(self.registry), self.clock)  # type: ignore[arg-type]

    def metric(self, name: str, **labels: str) -> float | None:
        """Return the value of one of the bridge's metrics."""
        return self.registry.get_sample_value(f"account_alerts_bridge_{name}", labels)

    def run(self, scenario: Scenario) -> None:
        """Let the scenario do a step in each turn of the bridge's loop, until the bridge ends."""
        self.queue.play(self.bridge, scenario)
        self.bridge.run()


def message(*ids: str) -> bytes:
    """Make a JSON message of bookings."""
    return json.dumps([entry(each) for each in ids]).encode()


def states(deliveries: list[FakeDelivery]) -> list[str | None]:
    """Tell what the broker was told of each: None where it is unsettled."""
    return [each.state if each.settled else None for each in deliveries]
