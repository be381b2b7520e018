"""Devices for tests and demos, as the device service knows them: a browser, or an app's token."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from account_alerts.config import Config
from account_alerts.model.device_address import DeviceAddress
from delivery.gateways import base64url
from delivery.gateways.push.web_push import point
from devenv.fake_gateways.files import files


@dataclass(frozen=True)
class Browser:
    """What a browser keeps to itself: the private key that its pushes are encrypted for."""

    private_key: ec.EllipticCurvePrivateKey
    auth: bytes


def create(config: Config, kind: str = "WEB_PUSH", name: str | None = None) -> dict[str, Any]:
    """Make a new device of the local push services: `kind`, and `to` as senders get it.

    Args:
        config: The local environment.
        kind: `WEB_PUSH`, `FCM` or `APNS`.
        name: Its own id, such as one of those with a bad day (`gone1`); by chance without it.
    """
    if kind == "APNS":
        return {"kind": kind, "to": name or secrets.token_hex(32)}
    own = name or secrets.token_urlsafe(12).replace("_", "a")
    if kind == "FCM":
        return {"kind": kind, "to": f"{own}:{secrets.token_urlsafe(16)}"}
    key, auth = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
    folder = files(config).devices
    folder.mkdir(parents=True, exist_ok=True)
    number = key.private_numbers().private_value.to_bytes(32)
    kept = {"private_key": base64url.encode(number), "auth": base64url.encode(auth)}
    (folder / f"{own}.json").write_text(json.dumps(kept))
    endpoint = f"https://localhost:{config.local_environment().push_port}/push/{own}"
    keys = {"p256dh": base64url.encode(point(key.public_key())), "auth": base64url.encode(auth)}
    return {"kind": kind, "to": {"endpoint": endpoint, "keys": keys}}


def address(device: dict[str, Any], device_id: str = "d1") -> str:
    """Return a device as the device resolver writes it into an alert."""
    return DeviceAddress(device_id, device["kind"], device["to"]).dump()


def browser(folder: Path, own: str) -> Browser | None:
    """Return the keys of a browser that was made here, or None."""
    file = folder / f"{own}.json"
    if not own.replace("-", "").replace("_", "").isalnum() or not file.is_file():
        return None
    kept = json.loads(file.read_text())
    number = int.from_bytes(base64url.decode(kept["private_key"]), "big")
    return Browser(ec.derive_private_key(number, ec.SECP256R1()), base64url.decode(kept["auth"]))
