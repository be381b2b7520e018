"""How the local gateways are started and found. Loads none of what they run on: `alerts up` need not."""

import shlex
import socket
import sys
from collections.abc import Callable

from account_alerts.config import Config
from devenv.fake_gateways.files import files
from devenv.layout import Layout

_PACKAGE = "devenv.fake_gateways"


def writer(program: str, *gateways: str) -> Callable[[Config, Layout], str]:
    """Make what writes the configuration of gateways, by their modules, and returns the command of all."""

    def write(config: Config, layout: Layout) -> str:
        from devenv.fake_gateways import secrets  # Here because it loads cryptography.

        start = secrets.prefix(config)
        own = files(config).folder / f"{program}.yaml"
        config.write(own)
        return f"{start}exec {shlex.join([sys.executable, '-m', _PACKAGE, str(own), *gateways])}"

    return write


def listening(*ports: str) -> Callable[[Config], bool]:
    """Make what tells whether somebody listens on ports of the local environment, by their keys."""

    def ready(config: Config) -> bool:
        return all(_answers(config.local_environment().ports()[port]) for port in ports)

    return ready


def address(template: str) -> Callable[[Config], str]:
    """Make what returns a gateway's address, from a template: `smtp://localhost:{mailbox_port}`."""
    return lambda config: template.format(**config.local_environment().ports())


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


_Program = tuple[Callable[[Config, Layout], str], Callable[[Config], bool], Callable[[Config], str]]
MAILBOX: _Program = (
    writer("mailbox", "mailbox"),
    listening("mailbox_port"),
    address("smtp://localhost:{mailbox_port}"),
)
"""How each is configured, found to be ready, and where it is."""
SMSC: _Program = (
    writer("smsc", "smsc"),
    listening("smsc_port", "sms_http_port"),
    address("smpp://localhost:{smsc_port}, https://localhost:{sms_http_port}"),
)
PUSH_SERVICE: _Program = (
    writer("push_service", "push_service"),
    listening("push_port"),
    address("https://localhost:{push_port}"),
)
_ALL = (MAILBOX, SMSC, PUSH_SERVICE)
GATEWAYS: _Program = (
    writer("gateways", "mailbox", "smsc", "push_service"),
    lambda config: all(ready(config) for _, ready, _ in _ALL),
    lambda config: ", ".join(where(config) for *_, where in _ALL) + " (alerts inbox mail, sms, push)",
)
"""All in one process."""
