"""The senders of all channels and the profiles as one program of the local environment."""

import shlex
import sys

from account_alerts.config import Config
from account_alerts.model.alerts import Channel
from devenv.layout import Layout
from devenv.services.health import answers

_WORKERS = (*(channel.lower() for channel in Channel), "profiles")


def write(config: Config, layout: Layout) -> str:
    """Write their configuration; return the shell command that becomes them."""
    from devenv.fake_gateways import secrets  # Here because it loads cryptography.

    own = layout.state / "senders.yaml"
    config.write(own)
    command = [sys.executable, "-m", "delivery", "--profiles", "--instance", "local", "--config", str(own)]
    for channel in Channel:
        command += ["--channel", channel.lower()]
    return f"{secrets.prefix(config)}exec {shlex.join(command)}"


def ready(config: Config) -> bool:
    """Tell whether all do their work."""
    return all(answers(f"{_address(config, worker)}/readyz") for worker in _WORKERS)


def where(config: Config) -> str:
    """Return the addresses of their metrics."""
    return ", ".join(f"{_address(config, worker)}/metrics" for worker in _WORKERS)


def _address(config: Config, worker: str) -> str:
    return f"http://localhost:{config.require('senders').metrics_port(worker)}"
