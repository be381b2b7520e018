"""The alerts of one push alert: one for each device of the customer."""

import json
from collections.abc import Iterator

from udfs.alerts import id_of


def device_alert_id(alert_id: str, device: str) -> str:
    """The id of a push alert for a device: from both ids only, so a new token of the device keeps it."""
    return id_of(alert_id.encode(), device.encode())


def address_of(device: str, kind: str, to: object) -> str:
    """A device as an address: always the same text for the same device, which is how a sender reads it."""
    address = {"device": device, "kind": kind, "to": to}
    return json.dumps(address, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def device_alerts(alert_id: str, devices: str) -> Iterator[tuple[str, str]]:
    """One (alert_id, address) per device.

    ``devices`` is a JSON array of what the device service says of each: ``device`` (its id), ``kind``, ``to``
    (what `AskDevices` has checked); what else it says is not passed on. A device named twice counts once.
    """
    for device in {each["device"]: each for each in json.loads(devices)}.values():
        yield (
            device_alert_id(alert_id, device["device"]),
            address_of(device["device"], device["kind"], device["to"]),
        )
