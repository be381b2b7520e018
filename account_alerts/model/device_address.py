"""The address of a push alert: a device as JSON text, in one field of OutboundAlert."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from account_alerts.model.errors import InvalidRecordError

WEB_PUSH = "WEB_PUSH"
"""The kind whose `to` is a subscription of a browser; each names the push service it belongs to."""


@dataclass(frozen=True)
class DeviceAddress:
    """Where a push message goes."""

    device: str
    """The device's id at the device service; empty where the text names none."""
    kind: str
    """`APNS`, `FCM` or `WEB_PUSH`; a kind that is not known is an error of the gateway's, not of the text."""
    to: Any
    """The token of an app (text), or the subscription of a browser (`endpoint`, `keys`)."""

    @classmethod
    def parse(cls, text: str) -> "DeviceAddress":
        """Read an address.

        Raises:
            InvalidRecordError: It is no JSON object with `kind` and `to`.
        """
        try:
            value = json.loads(text)
            return cls(str(value.get("device", "")), str(value["kind"]), value["to"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidRecordError(f"address is no device: {type(error).__name__}") from error

    def dump(self) -> str:
        """Write the address: always the same text for the same device."""
        value = {"device": self.device, "kind": self.kind, "to": self.to}
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def subscription(self) -> dict[str, Any]:
        """Return the subscription of a browser, which some device services hand on as JSON text.

        Raises:
            InvalidRecordError: It is no JSON object.
        """
        try:
            value = json.loads(self.to) if isinstance(self.to, str) else self.to
        except (ValueError, RecursionError) as error:
            raise InvalidRecordError("to is no JSON") from error
        if not isinstance(value, dict):
            raise InvalidRecordError("to is no subscription")
        return value

    def route(self) -> str:
        """Name the push service, which may be down by itself: `APNS`, `FCM`, `WEB_PUSH:host`.

        Raises:
            InvalidRecordError: A browser's subscription names no endpoint.
        """
        if self.kind != WEB_PUSH:
            return self.kind
        try:
            return f"{WEB_PUSH}:{urlsplit(self.subscription()['endpoint']).hostname}"
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InvalidRecordError("to names no endpoint") from error
