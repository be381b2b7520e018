"""The device service in the local environment."""

import shlex
import sys
from urllib.parse import urlsplit

from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services.health import answers


def write(config: Config, layout: Layout) -> str:
    """Return the shell command of the service; its devices are in the state folder."""
    port = config.local_environment().devices_port
    command = [sys.executable, "-m", "devenv.bank.device_service", "--port", str(port)]
    return f"exec {shlex.join([*command, '--database', str(layout.state / 'devices.sqlite')])}"


def ready(config: Config) -> bool:
    """Tell whether the service reads its devices."""
    return answers(f"{where(config)}/healthz")


def where(config: Config) -> str:
    """Return the service's address."""
    address = config.devices.url if config.devices else ""
    return (
        address
        if urlsplit(address).hostname
        else f"http://localhost:{config.local_environment().devices_port}"
    )
