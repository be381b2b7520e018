"""Talks to the device service."""

from typing import Any

import httpx2

from account_alerts.config import Config
from account_alerts.model.errors import OperationError

_SECONDS = 10


class DeviceServiceError(OperationError):
    """The device service refused, or does not answer; the message says what to do."""


def ask(config: Config, method: str, path: str, **content: Any) -> Any:
    """One request; returns what the service answers.

    Args:
        config: Says where the service is.
        method: Such as `GET`.
        path: Such as `/v1/devices`.
        content: What `httpx2.request` takes: `json`, `params`.

    Raises:
        DeviceServiceError: It refused, or does not answer.
        ConfigError: There is no section `devices`.
    """
    devices = config.require("devices")
    url, token = devices.url.rstrip("/"), devices.token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        answer = httpx2.request(method, f"{url}{path}", headers=headers, timeout=_SECONDS, **content)
    except httpx2.HTTPError as error:
        raise DeviceServiceError(
            f"{url}: {error}. Is it up? `alerts up --profile full` starts it here."
        ) from error
    if answer.is_error:
        try:
            reason = answer.json()["detail"]
        except (ValueError, KeyError, TypeError):
            reason = "no reason given"
        raise DeviceServiceError(f"{url}: {answer.status_code}: {reason}")
    return answer.json()
