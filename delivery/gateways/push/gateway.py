"""Push: each message goes to the service of its device's kind."""

from collections.abc import Mapping
from typing import Protocol

from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.errors import InvalidRecordError
from delivery.gateways.base import Gateway, Message, Outcome
from delivery.gateways.outcomes import unsendable


class PushService(Protocol):
    """One of Web Push, FCM and APNs."""

    async def push(self, message: Message, device: DeviceAddress) -> Outcome:
        """Send one push to a device of the service's kind."""

    async def close(self) -> None:
        """Close connections."""


class PushGateway(Gateway):
    """Sends pushes by the kind of the device: `WEB_PUSH`, `FCM`, `APNS`."""

    def __init__(self, services: Mapping[str, PushService]) -> None:
        """Keep the services by the kinds of devices."""
        self._services = services

    async def send(self, message: Message) -> Outcome:
        """Send one push to the device that the address describes."""
        try:
            device = DeviceAddress.parse(message.address)
        except InvalidRecordError:
            return unsendable("no device")
        service = self._services.get(device.kind)
        if service is None:
            return unsendable("no gateway for this kind of device")
        return await service.push(message, device)

    async def close(self) -> None:
        """Close all connections."""
        for service in self._services.values():
            await service.close()
