"""The senders as programs of the local environment: one of each channel, and the profiles."""

import shlex
import sys

from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services.health import answers


def write(config: Config, layout: Layout, process: str) -> str:
    """Write the configuration of a process (`email`, ..., `profiles`); the command that becomes it."""
    from devenv.fake_gateways import secrets  # Here because it loads cryptography.

    own = layout.state / f"sender-{process}.yaml"
    config.write(own)
    command = [sys.executable, "-m", "delivery.profiles"]
    if process != "profiles":
        command = [sys.executable, "-m", "delivery", "--channel", process, "--instance", f"local-{process}"]
    return f"{secrets.prefix(config)}exec {shlex.join([*command, '--config', str(own)])}"


def ready(config: Config, process: str) -> bool:
    """Tell whether it does its work."""
    return answers(f"{_address(config, process)}/readyz")


def where(config: Config, process: str) -> str:
    """Return the address of its metrics."""
    return f"{_address(config, process)}/metrics"


def _address(config: Config, process: str) -> str:
    return f"http://localhost:{config.require('senders').metrics_port(process)}"
