"""Keeps the connector registered and running: Kafka Connect itself does neither."""

import logging
import threading

from account_alerts.model.errors import UnreachableError
from ingest.capture.connect_client import ConnectClient
from ingest.capture.metrics import Metrics

_log = logging.getLogger(__name__)


def watch_connector(
    client: ConnectClient, interval: float, metrics: Metrics, stopped: threading.Event
) -> None:
    """Register the connector as it is configured, and restart it when it has failed, until stopped.

    Args:
        client: Of Kafka Connect.
        interval: Seconds between looks.
        metrics: Shows whether it runs.
        stopped: Ends it.
    """
    registered, pause = False, 0.0
    while not stopped.wait(pause):
        pause = interval
        try:
            if not registered and client.register():
                _log.info("the connector is registered")
            status = client.status()
            metrics.connector_running.set(status.is_running)
            if status.has_failed:
                _log.warning("the connector failed (%s): starting it again", status.reason)
                client.restart()
            registered = status.is_registered
        except UnreachableError as error:
            registered = False
            metrics.connector_running.set(0)
            _log.warning("%s", error)
