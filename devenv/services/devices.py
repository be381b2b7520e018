"""The device service in the local environment."""

import shlex
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from account_alerts.config import Config
from devenv.layout import Layout


def write(config: Config, layout: Layout) -> str:
    """The shell command of the service; its devices are in the state folder."""
    port = config.local_environment().devices_port
    command = [sys.executable, "-m", "devenv.bank.device_service", "--port", str(port)]
    return f"exec {shlex.join([*command, '--database', str(layout.state / 'devices.sqlite')])}"


def ready(config: Config) -> bool:
    """Whether the service reads its devices."""
    try:
        with urllib.request.urlopen(f"{where(config)}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def where(config: Config) -> str:
    """The service's address."""
    address = config.devices.url if config.devices else ""
    return (
        address
        if urlsplit(address).hostname
        else f"http://localhost:{config.local_environment().devices_port}"
    )
