"""Push: each message to the service of its device's kind."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from delivery.gateways.base import Message, Outcome, Receipt
from delivery.gateways.http_answers import never, refused


class PushService(Protocol):
    """One of Web Push, FCM and APNs."""

    async def push(self, message: Message, to: Any) -> Outcome:
        """Hand one push over; `to` is the service's own name of the device."""

    async def close(self) -> None:
        """Let go of connections."""


class PushGateway:
    """Hands pushes over by the kind of the device: `WEB_PUSH`, `FCM`, `APNS`."""

    def __init__(self, services: Mapping[str, PushService]) -> None:
        """The services by the kinds of devices."""
        self._services = services

    async def open(self) -> None:
        """Nothing is to be got ready."""

    async def send(self, message: Message) -> Outcome:
        """Hand one push over to the device that the address describes."""
        try:
            device = json.loads(message.address)
            kind, to = device["kind"], device["to"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return refused("no device")
        service = self._services.get(kind) if isinstance(kind, str) else None
        if service is None:
            return refused("no gateway for this kind of device")
        return await service.push(message, to)

    async def receipts(self) -> AsyncIterator[Receipt]:
        """None: a push service's answer is all it says."""
        await never()
        yield Receipt("", False, 0)

    async def close(self) -> None:
        """Let go of all connections."""
        for service in self._services.values():
            await service.close()
