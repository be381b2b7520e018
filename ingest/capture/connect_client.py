"""Kafka Connect's REST interface, as far as the Debezium connector needs it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from account_alerts.config import Config
from account_alerts.kafka.topics import create_missing
from account_alerts.model.errors import UnreachableError
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from ingest.capture import debezium

_TIMEOUT = 10.0
"""Seconds for a request, and for Kafka Connect's workers to find each other."""
_CONFLICT_PAUSE, _POLL_PAUSE = 0.2, 0.1
"""Seconds."""


class ConnectError(UnreachableError):
    """Kafka Connect does not answer, or refuses; the text says what to do."""


@dataclass(frozen=True)
class ConnectorStatus:
    """The state of the connector and its task."""

    is_registered: bool
    is_running: bool = False
    has_failed: bool = False
    reason: str = ""
    """Why it failed: the first line of the stack; empty where it did not."""


class ConnectClient:
    """Registers, watches and restarts the connector."""

    def __init__(
        self,
        config: Config,
        transport: httpx2.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            config: Its section `capture` says where Kafka Connect is.
            transport: In place of the network.
            clock: Tells the time.
            sleep: Waits, in seconds.

        Raises:
            ConfigError: There is no section `capture`.
        """
        capture = config.require("capture")
        self._config = config
        self._url = capture.connect_url.rstrip("/")
        self._connector = f"/connectors/{capture.name}"
        # A connection is not kept: a worker that was restarted meanwhile would have closed it.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self._http = httpx2.Client(transport=transport, timeout=_TIMEOUT, limits=limits)
        self._clock, self._sleep = clock, sleep

    def register(self) -> bool:
        """Create the connector's topics, and register it or what changed of it; returns whether anything did.

        Raises:
            UnreachableError: Kafka Connect or Kafka does not answer, or refuses.
        """
        create_missing(self._config, debezium.new_topics(self._config))
        settings = debezium.connector_settings(self._config)
        name = self._config.require("capture").name
        if self._request("GET", f"{self._connector}/config") == {**settings, "name": name}:
            return False
        self._request("PUT", f"{self._connector}/config", settings)
        return True

    def status(self) -> ConnectorStatus:
        """Ask for the connector's state.

        Raises:
            ConnectError: Kafka Connect does not answer.
        """
        answer = self._request("GET", f"{self._connector}/status")
        if answer is None:
            return ConnectorStatus(is_registered=False)
        parts = [answer["connector"], *answer["tasks"]]
        traces = [part.get("trace", "") for part in parts if part["state"] == "FAILED"]
        return ConnectorStatus(
            is_registered=True,
            is_running=len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts),
            has_failed=bool(traces),
            reason=(traces[0].splitlines() or ["no reason given"])[0] if traces else "",
        )

    def restart(self) -> None:
        """Start again what of the connector has failed.

        Raises:
            ConnectError: Kafka Connect does not answer, or refuses.
        """
        self._request("POST", f"{self._connector}/restart?includeTasks=true&onlyFailed=true")

    def is_ready(self) -> bool:
        """Tell whether Kafka Connect answers and takes connectors."""
        try:
            return self._request("GET", "/connectors") is not None
        except ConnectError:
            return False

    def wait_until_running(self, timeout: float = 60.0) -> bool:
        """Wait for the connector to run; returns whether it does within `timeout` seconds."""
        end = self._clock.monotonic() + timeout
        while self._clock.monotonic() < end:
            try:
                if self.status().is_running:
                    return True
            except ConnectError:
                pass  # Not yet.
            self._sleep(_POLL_PAUSE)
        return False

    def _request(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        """Return the JSON of an answer; None where it is empty, or a GET finds nothing."""
        url = f"{self._url}{path}"
        # While its workers find each other, Kafka Connect answers with a conflict: that passes.
        end = self._clock.monotonic() + _TIMEOUT
        while True:
            try:
                answer = self._http.request(method, url, json=body)
            except httpx2.HTTPError as error:
                raise ConnectError(
                    f"Kafka Connect at {url}: {error}. Is it up? See `alerts status`."
                ) from error
            if answer.status_code != 409 or self._clock.monotonic() > end:
                break
            self._sleep(_CONFLICT_PAUSE)
        if answer.status_code == 404 and method == "GET":
            return None
        if answer.is_error:
            raise ConnectError(f"Kafka Connect at {url}: {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None
