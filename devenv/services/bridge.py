"""The local account entry bridge: one process."""

import shlex
import sys

from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services import queue


def write(config: Config, layout: Layout) -> str:
    """Return the shell command that runs the bridge with the configuration in force."""
    config.write(layout.config)
    return f"exec {shlex.join([sys.executable, '-m', 'ingest.bridge', '--config', str(layout.config)])}"


def ready(config: Config) -> bool:
    """Tell whether somebody reads the queue."""
    found = queue.status(config)
    return found is not None and found.consumers > 0


def where(config: Config) -> str:
    """Return from where to where it takes bookings."""
    return f"{queue.where(config)} to {config.topics.account_entries.name}"
