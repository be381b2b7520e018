"""The alerts of one push alert: one for each device of the customer."""

import json
from collections.abc import Iterator

from account_alerts.model.device_address import DeviceAddress
from account_alerts.model.ids import stable_id


def device_alert_id(alert_id: str, device: str) -> str:
    """Derive the id of a push alert for a device: from both ids only, so a new token keeps it."""
    return stable_id(alert_id.encode(), device.encode())


def device_alerts(alert_id: str, devices: str) -> Iterator[tuple[str, str]]:
    """Make one (alert_id, address) per device.

    ``devices`` is a JSON array of what the device service says of each: ``device`` (its id), ``kind``, ``to``
    (what `AskDevices` has checked); what else it says is not passed on. A device named twice counts once.
    """
    for device in {each["device"]: each for each in json.loads(devices)}.values():
        address = DeviceAddress(device["device"], device["kind"], device["to"])
        yield device_alert_id(alert_id, address.device), address.dump()
