"""Talks to the device service."""

from typing import Any, Self

import httpx2

from account_alerts.config import Config
from account_alerts.model.errors import OperationError

_SECONDS = 10


class DeviceServiceError(OperationError):
    """The device service refused, or does not answer; the message says what to do."""


class DeviceClient:
    """Asks the device service; safe to be used by several threads."""

    def __init__(self, config: Config) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigError: There is no section `devices`.
        """
        devices = config.require("devices")
        self._url, token = devices.url.rstrip("/"), devices.token
        headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
        self._http = httpx2.Client(headers=headers, timeout=_SECONDS)

    def __enter__(self) -> Self:
        """Leave it by closing it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """Make one request; return what the service answers.

        Args:
            method: Such as `GET`.
            path: Such as `/v1/devices`.
            content: What `httpx2.Client.request` takes: `json`, `params`.

        Raises:
            DeviceServiceError: It refused, or does not answer.
        """
        try:
            answer = self._http.request(method, f"{self._url}{path}", **content)
        except httpx2.HTTPError as error:
            raise DeviceServiceError(
                f"{self._url}: {error}. Is it up? `alerts up --profile full` starts it here."
            ) from error
        if answer.is_error:
            try:
                reason = answer.json()["detail"]
            except (ValueError, KeyError, TypeError):
                reason = "no reason given"
            raise DeviceServiceError(f"{self._url}: {answer.status_code}: {reason}")
        return answer.json()
