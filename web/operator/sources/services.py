"""The parts that are asked with one request: the queue, the bank's database, capture, metrics endpoints."""

import time
from collections.abc import Callable

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.errors import UnreachableError
from account_alerts.service.metrics import PUBLISHER_CONNECTOR_RUNNING, SENDER_GATEWAY_UP
from ingest.capture.connect_client import ConnectClient
from operations import queue
from web.operator.readings import CaptureFigures, QueueFigures, ServiceFigures

_TIMEOUT = 5.0


def look_at_queue(config: Config) -> QueueFigures:
    """Ask the broker how many messages wait.

    Raises:
        UnreachableError: It does not answer.
    """
    bridge = config.require("bridge")
    found = queue.status(bridge)
    if found is None:
        raise UnreachableError(f"{bridge.url}/{bridge.address}: the broker does not say how many wait")
    return QueueFigures(max(0, found.depth - found.unsettled), found.unsettled, found.consumers)


def look_at_bank(config: Config) -> float:
    """Return the milliseconds in which the bank's database answers, a new connection included.

    Raises:
        DatabaseError: It cannot be reached.
    """
    began = time.monotonic()
    with postgres.connect(config.require("bank"), application="alerts-web-chain") as connection:
        connection.execute("SELECT 1")
    return (time.monotonic() - began) * 1000


def capture_source(config: Config) -> Callable[[], CaptureFigures]:
    """Return what asks Kafka Connect for the state of the connector; it may raise `UnreachableError`."""
    client = ConnectClient(config)

    def look() -> CaptureFigures:
        status = client.status()
        reason = status.reason if status.is_registered else "No connector is registered."
        return CaptureFigures(status.is_running, reason)

    return look


def look_at_service(url: str) -> ServiceFigures:
    """Read a service's metrics.

    Raises:
        UnreachableError: It does not answer.
    """
    try:
        answer = httpx2.get(url, timeout=_TIMEOUT, follow_redirects=False)
        answer.raise_for_status()
        text = answer.text
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UnreachableError(f"{url}: {error}") from error
    return parse(text)


def parse(text: str) -> ServiceFigures:
    """Take from a service's metrics, in Prometheus' text format, what the pages show."""
    gateways: dict[str, bool] = {}
    connector = None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == SENDER_GATEWAY_UP.name:
                gateways[sample.labels["route"]] = sample.value > 0
            elif sample.name == PUBLISHER_CONNECTOR_RUNNING.name:
                connector = sample.value > 0
    return ServiceFigures(gateways, connector)
