"""Watches the chain, once for a process: each source in a thread of its own, the pages read what they found.

A source that hangs, fails or is away takes nothing else with it: its last answer gets old, and the picture
says so.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from account_alerts.config import Config
from account_alerts.model.errors import AlertsError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from web.operator.chain import Snapshot
from web.operator.picture import snapshot
from web.operator.readings import Reading, Readings
from web.operator.sources import services
from web.operator.sources.flink import FlinkSource
from web.operator.sources.kafka import KafkaSource
from web.operator.sources.ledger import LedgerSource

_log = logging.getLogger(__name__)
_NOTHING: Reading[Any] = Reading()


@dataclass(frozen=True)
class Source:
    """One part that is looked at again and again."""

    name: str
    look: Callable[[], Any]
    interval: float
    """Seconds between two looks."""


def sources(config: Config) -> list[Source]:
    """List what an environment has to be looked at."""
    web = config.require("web")
    metrics = local_metrics(config) | {str(name): url for name, url in web.service_metrics.items()}
    job_managers = {str(name): url for name, url in web.job_managers.items()}
    found = [
        Source("kafka", KafkaSource(config).look, 2),
        Source("flink", FlinkSource(config, job_managers).look, 5),
    ]
    if config.delivery is not None:
        found.append(Source("ledger", LedgerSource(config).look, 5))
    if config.bridge is not None and config.bridge.management is not None:
        found.append(Source("queue", lambda: services.look_at_queue(config), 2))
    if config.bank is not None:
        found.append(Source("bank", lambda: services.look_at_bank(config), 5))
    # Elsewhere only publishers may talk to Kafka Connect: whoever may could read the bank's tables.
    if config.capture is not None and config.local is not None:
        found.append(Source("capture", services.capture_source(config), 5))
    for name, url in metrics.items():
        found.append(Source(f"service {name}", lambda url=url: services.look_at_service(url), 5))  # type: ignore[misc]
    return found


def local_metrics(config: Config) -> dict[str, str]:
    """Return where the services of a local environment show their metrics; elsewhere none is known."""
    if config.local is None:
        return {}
    found = {}
    if config.senders is not None:
        for channel in ("email", "sms", "push"):
            found[f"sender-{channel}"] = f"http://localhost:{config.senders.metrics_port(channel)}/metrics"
    if config.clicks is not None:
        found["clicks"] = f"http://localhost:{config.clicks.metrics_port}/metrics"
    return found


class ChainWatch:
    """Keeps the newest reading of every source."""

    def __init__(self, config: Config, watched: list[Source], clock: Clock = SYSTEM_CLOCK) -> None:
        """Prepare; `start` begins to look."""
        self._config, self._sources, self._clock = config, watched, clock
        self._readings: dict[str, Reading[Any]] = {source.name: Reading() for source in watched}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to look."""
        for source in self._sources:
            thread = threading.Thread(target=self._watch, args=[source], name=f"chain-{source.name}")
            thread.daemon = True  # One that hangs must not keep the process.
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Look no more; a look under way is not waited for longer than a moment."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=1)

    def readings(self) -> Readings:
        """Return the newest reading of every source."""
        found = dict(self._readings)
        prefix = "service "
        return Readings(
            kafka=found.get("kafka", _NOTHING),
            jobs=found.get("flink", _NOTHING),
            ledger=found.get("ledger"),
            queue=found.get("queue"),
            bank=found.get("bank"),
            capture=found.get("capture"),
            services={
                name.removeprefix(prefix): reading
                for name, reading in found.items()
                if name.startswith(prefix)
            },
        )

    def snapshot(self) -> Snapshot:
        """Return the chain as it is now, as far as it is known."""
        return snapshot(self._config, self.readings(), self._clock.now_ms())

    def look_once(self, source: Source) -> None:
        """Look at one source; what it had said stays, with its time, where it does not answer."""
        before = self._readings[source.name]
        try:
            reading = Reading(source.look(), self._clock.now_ms())
        except Exception as error:  # Whatever is wrong with one part, the others are shown.
            reading = Reading(before.value, before.at, str(error) or type(error).__name__)
            if reading.problem != before.problem:  # It may be so for hours.
                _log.warning(
                    "%s: no news: %s", source.name, error, exc_info=not isinstance(error, AlertsError)
                )
        else:
            if before.problem:
                _log.info("%s: answers again", source.name)
        self._readings[source.name] = reading

    def _watch(self, source: Source) -> None:
        while not self._stopped.is_set():
            self.look_once(source)
            self._stopped.wait(source.interval)
