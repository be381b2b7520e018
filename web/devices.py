"""The bank's device service, which knows the phones and browsers that get push messages."""

from typing import Any

import httpx2
from pydantic import TypeAdapter, ValidationError

from account_alerts.config import Config
from account_alerts.model.errors import InvalidRequestError, NotFoundError, UnreachableError

_SECONDS = 5.0
_DEVICES = "/v1/devices"
_ANSWER = TypeAdapter(dict[str, Any])


class DeviceServiceError(UnreachableError):
    """The device service does not answer, or fails."""


class InvalidDeviceError(InvalidRequestError):
    """It is no device: no token, or no subscription of a browser."""


class Devices:
    """Asks the device service for one customer at a time."""

    def __init__(self, config: Config, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """Connect to nothing yet.

        Args:
            config: Names the service (`devices`).
            transport: How it is asked, where not over the network.

        Raises:
            ConfigError: There is no section `devices`.
        """
        devices = config.require("devices")
        token = devices.token
        self._http = httpx2.AsyncClient(
            base_url=devices.url.rstrip("/"),
            headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
            timeout=_SECONDS,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def list_devices(self, customer_id: str) -> list[dict[str, Any]]:
        """Return a customer's devices: `device`, `kind`, `to`, and in ms UTC `registered_at`, `updated_at`.

        Raises:
            DeviceServiceError: The service does not answer.
        """
        answer = await self._ask("GET", params={"customer": customer_id})
        devices: list[dict[str, Any]] = answer.get("devices", [])
        return devices

    async def register(
        self, customer_id: str, kind: str, to: Any, device: str | None = None
    ) -> dict[str, Any]:
        """Register a device, or give a known one a new token.

        Raises:
            InvalidDeviceError: It is no device.
            InvalidRequestError: It would be one too many.
            NotFoundError: The customer has no device of this id.
            DeviceServiceError: The service does not answer.
        """
        named = {} if device is None else {"device": device}
        return await self._ask("POST", json={"customer": customer_id, "kind": kind, "to": to, **named})

    async def remove(self, customer_id: str, device: str) -> None:
        """Remove a customer's device.

        Raises:
            NotFoundError: The customer has none of this id.
            DeviceServiceError: The service does not answer.
        """
        await self._ask("DELETE", params={"customer": customer_id, "device": device})

    async def _ask(self, method: str, **content: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, _DEVICES, **content)
        except httpx2.HTTPError as error:
            raise DeviceServiceError(f"device service: {type(error).__name__}") from error
        if answer.status_code == 404:
            raise NotFoundError("no such device")
        if answer.status_code in (400, 422):
            raise InvalidDeviceError(_reason(answer))
        if answer.status_code == 409:
            raise InvalidRequestError(_reason(answer))
        if answer.is_error:
            raise DeviceServiceError(f"device service: HTTP {answer.status_code}")
        try:
            return _ANSWER.validate_json(answer.content or b"{}")
        except ValidationError as error:
            raise DeviceServiceError("device service: an answer that is no JSON object") from error


def _reason(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return "the device service refuses it"
