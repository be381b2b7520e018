"""Says when the chain sends unusually many alerts; none is ever held back for it."""

import logging
from typing import Any

import confluent_kafka as kafka
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from pyflink.datastream import RuntimeContext

from account_alerts.clients import admin
from account_alerts.config import Config
from udfs.volume import Volume

_log = logging.getLogger(__name__)
_INTERVAL_MS = 10_000
_TIMEOUT_S = 2.0


class VolumeAlarm:
    """Looks at the ends of the channels' topics every ten seconds: what is sent costs the alerts nothing."""

    def __init__(self, config: Config, runtime_context: RuntimeContext) -> None:
        """Connect and make the metrics."""
        topics = config.topics
        self._topics = [
            topic.name for topic in (topics.outbound_email, topics.outbound_sms, topics.outbound_push)
        ]
        self._admin: AdminClient = admin(config)
        self._volume = Volume(config.alerting.unusual_volume, config.alerting.unusual_from)
        self._looked = 0
        self._unusual = False
        self._partitions: list[kafka.TopicPartition] = []
        self._rate = runtime_context.get_metrics_group().distribution("alerts_a_minute")
        self._alarms = runtime_context.get_metrics_group().counter("unusual_volume")

    def look(self, now: int) -> None:
        """Look, if it is time (milliseconds UTC); Kafka away is somebody else's alarm."""
        if now - self._looked < _INTERVAL_MS:
            return
        self._looked = now
        try:
            total = self._total()
        except kafka.KafkaException as error:
            _log.warning("cannot look at the volume of alerts, trying again: %s", error)
            return
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

    def _total(self) -> int:
        """Alerts ever written, by the topics' ends."""
        if not self._partitions:
            known: Any = self._admin.list_topics(timeout=_TIMEOUT_S).topics
            self._partitions = [
                kafka.TopicPartition(topic, number)
                for topic in self._topics
                for number in (known[topic].partitions if topic in known else ())
            ]
        wanted = {part: OffsetSpec.latest() for part in self._partitions}  # type: ignore[no-untyped-call]
        if not wanted:
            return 0
        found = self._admin.list_offsets(wanted, request_timeout=_TIMEOUT_S)
        return sum(int(future.result().offset) for future in found.values())
