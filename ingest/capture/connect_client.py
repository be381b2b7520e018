"""TODO."""

import time
from dataclasses import dataclass
from typing import Any

import httpx2

from account_alerts.config import Config
from ingest.capture.debezium import _TIMEOUT, CaptureError, capture, create_topics, settings


@dataclass(frozen=True)
class Status:
    """How the connector is."""

    known: bool
    """Whether Kafka Connect has it."""
    running: bool
    failed: bool
    reason: str
    """Why it failed: the first line; empty where it did not."""


def register(config: Config) -> bool:
    """Give Kafka Connect the connector, or what changed of it; returns whether there was anything to do.

    The connector's topics are there afterwards.

    Raises:
        CaptureError: It or Kafka does not answer, or refuses.
    """
    create_topics(config)
    path, wanted = f"/connectors/{capture(config).name}/config", settings(config)
    found = _call(config, "GET", path)
    if found is not None and {**wanted, "name": capture(config).name} == found:
        return False
    _call(config, "PUT", path, wanted)
    return True


def status(config: Config) -> Status:
    """How the connector is.

    Raises:
        CaptureError: Kafka Connect does not answer.
    """
    answer = _call(config, "GET", f"/connectors/{capture(config).name}/status")
    if answer is None:
        return Status(known=False, running=False, failed=False, reason="")
    parts = [answer["connector"], *answer["tasks"]]
    traces = [part.get("trace", "") for part in parts if part["state"] == "FAILED"]
    return Status(
        known=True,
        running=len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts),
        failed=bool(traces),
        reason=(traces[0].splitlines() or ["no reason given"])[0] if traces else "",
    )


def restart(config: Config) -> None:
    """Start again what of the connector has failed.

    Raises:
        CaptureError: Kafka Connect does not answer, or refuses.
    """
    name = capture(config).name
    _call(config, "POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")


def answers(config: Config) -> bool:
    """Whether Kafka Connect answers and takes connectors."""
    try:
        return _call(config, "GET", "/connectors") is not None
    except CaptureError:
        return False


def running(config: Config, timeout: float = 60.0) -> bool:
    """Wait until the connector runs; returns whether it does within `timeout` seconds."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            if status(config).running:
                return True
        except CaptureError:
            pass
        time.sleep(0.1)
    return False


def _call(config: Config, method: str, path: str, body: dict[str, str] | None = None) -> Any:
    """The JSON of an answer; None where there is none, or no such thing."""
    url = f"{capture(config).connect_url.rstrip('/')}{path}"
    # While its workers find each other, Kafka Connect refuses with a conflict: that passes.
    end = time.monotonic() + _TIMEOUT
    while True:
        try:
            answer = httpx2.request(method, url, json=body, timeout=_TIMEOUT)
        except httpx2.HTTPError as error:
            raise CaptureError(f"Kafka Connect at {url}: {error}. Is it up? See `alerts status`.") from error
        if answer.status_code != 409 or time.monotonic() > end:
            break
        time.sleep(0.2)
    if answer.status_code == 404 and method == "GET":
        return None
    if answer.is_error:
        raise CaptureError(f"Kafka Connect at {url}: {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None
