"""Keeps the connector registered and running: Kafka Connect itself does neither.

Whether changes come out is not asked of the connector, which may say that it runs while it skips them or
begins again and again. The heartbeats tell.
"""

import logging
import threading

from confluent_kafka import KafkaException

from account_alerts.model.errors import UnreachableError
from ingest.capture.connect_client import ConnectClient
from ingest.capture.heartbeats import Heartbeats
from ingest.capture.metrics import Metrics

_log = logging.getLogger(__name__)
MISSED_BEATS = 3
"""So many times the interval of heartbeats without one, and changes do not come out."""


def watch_connector(
    client: ConnectClient,
    heartbeats: Heartbeats,
    interval: float,
    longest_age: float,
    metrics: Metrics,
    stopped: threading.Event,
) -> None:
    """Register the connector as it is configured, and restart it when it has failed, until stopped.

    Args:
        client: Of Kafka Connect.
        heartbeats: What comes out of the connector.
        interval: Seconds between looks.
        longest_age: Seconds; with an older heartbeat changes do not come out.
        metrics: Shows whether it runs.
        stopped: Ends it.
    """
    registered, pause, lost = False, 0.0, 0
    while not stopped.wait(pause):
        pause = interval
        running = False
        try:
            if not registered and client.register():
                _log.info("the connector is registered")
            status = client.status()
            running = status.is_running
            if status.has_failed:
                _log.warning("the connector failed (%s): starting it again", status.reason)
                metrics.connector_restarts.inc()
                client.restart()
            registered = status.is_registered
        except UnreachableError as error:
            registered = False
            _log.warning("%s", error)
        try:
            heartbeats.read()
        except KafkaException as error:
            _log.warning("heartbeats cannot be read for now: %s", error)
        metrics.heartbeat_age.set(heartbeats.age)
        metrics.lost_heartbeats.set(heartbeats.lost)
        stands_still = heartbeats.age > longest_age
        if running and stands_still:
            _log.error("the connector says that it runs, but the last change is %.0f s old", heartbeats.age)
        if heartbeats.lost > lost:
            _log.error(
                "changes of the bank's database were lost, %d heartbeats among them: take a new snapshot "
                "(docs/operations/runbook.md, 'Changes of the database were lost')",
                heartbeats.lost - lost,
            )
        lost = heartbeats.lost
        metrics.connector_running.set(running and not stands_still)
