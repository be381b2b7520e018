"""Says when the chain sends unusually many alerts; none is ever held back for it."""

import logging
from concurrent.futures import Future
from typing import Any

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from pyflink.datastream import RuntimeContext

from account_alerts.config import Config
from account_alerts.kafka.clients import admin
from udfs.alerting.volume import Volume

_log = logging.getLogger(__name__)
_INTERVAL_MS = 10_000
_TIMEOUT_S = 5.0


class VolumeAlarm:
    """Asks for the ends of the channels' topics every ten seconds and never waits for the answer."""

    def __init__(self, config: Config, runtime_context: RuntimeContext) -> None:
        """Connect and make the metrics."""
        self._partitions = [
            kafka.TopicPartition(topic.name, number)
            for topic in config.topics.of_channels().values()
            for number in range(topic.partitions)
        ]
        self._admin: AdminClient = admin(config)
        self._volume = Volume(config.alerting.unusual_volume, config.alerting.unusual_from)
        self._asked_at = 0
        self._asked: list[Future[Any]] = []
        self._unusual = False
        self._rate = runtime_context.get_metrics_group().distribution("alerts_a_minute")
        self._alarms = runtime_context.get_metrics_group().counter("unusual_volume")

    def look(self, now: int) -> None:
        """Take in an answer that is there, and ask again if it is time (milliseconds UTC)."""
        try:
            if self._asked and all(future.done() for future in self._asked):
                answers, self._asked = self._asked, []
                self._see(self._asked_at, sum(int(future.result().offset) for future in answers))
            if not self._asked and now - self._asked_at >= _INTERVAL_MS:
                self._asked_at = now
                wanted = {part: OffsetSpec.latest() for part in self._partitions}  # type: ignore[no-untyped-call]
                self._asked = list(self._admin.list_offsets(wanted, request_timeout=_TIMEOUT_S).values())
        except kafka.KafkaException as error:  # Kafka away is somebody else's alarm.
            _log.warning("cannot look at the volume of alerts, trying again: %s", error)

    def _see(self, now: int, total: int) -> None:
        unusual = self._volume.see(now, total)
        self._rate.update(self._volume.last_minute())
        if unusual:
            self._alarms.inc()
        if unusual != self._unusual:
            self._unusual = unusual
            if unusual:
                _log.error("%d alerts in the last minute: unusually many", self._volume.last_minute())
            else:
                _log.info("the volume of alerts is usual again")
