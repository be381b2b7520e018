"""The senders as programs of the local environment: one of each channel, and the profiles."""

import shlex
import sys
import urllib.request

from account_alerts.config import Config
from devenv.layout import Layout

_MOMENT = 2


def write(config: Config, layout: Layout, process: str) -> str:
    """Write the configuration of a process (`email`, ..., `profiles`); the command that becomes it."""
    from devenv.fake_gateways import secrets  # Here because it loads cryptography.

    own = layout.state / f"sender-{process}.yaml"
    config.write(own)
    command = [sys.executable, "-m", "delivery.profiles.consumer"]
    if process != "profiles":
        command = [sys.executable, "-m", "delivery", "--channel", process, "--instance", f"local-{process}"]
    return f"{secrets.prefix(config)}exec {shlex.join([*command, '--config', str(own)])}"


def ready(config: Config, process: str) -> bool:
    """Whether it does its work: it says so among its metrics."""
    try:
        with urllib.request.urlopen(f"{where(config, process)}", timeout=_MOMENT) as answer:
            text = answer.read().decode()
    except OSError:
        return False
    return process == "profiles" or f'sender_ready{{channel="{process.upper()}"}} 1.0' in text


def where(config: Config, process: str) -> str:
    """Its metrics' address."""
    assert config.senders is not None  # The local environment's file has the section.
    return f"http://localhost:{config.senders.metrics_port(process)}/metrics"
