"""The clicks endpoint of the local environment."""

import shlex
import sys

from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services.health import answers


def write(config: Config, layout: Layout) -> str:
    """Write its configuration; return the shell command that becomes it."""
    file = layout.state / "clicks.yaml"
    config.write(file)
    return f"exec {shlex.join([sys.executable, '-m', 'ingest.clicks', '--config', str(file)])}"


def ready(config: Config) -> bool:
    """Tell whether it answers, and Kafka does."""
    return answers(f"{metrics(config)}/readyz")


def metrics(config: Config) -> str:
    """Return the address of its metrics and health."""
    return f"http://localhost:{config.require('clicks').metrics_port}"


def where(config: Config) -> str:
    """Return its address; a form to try is at /demo."""
    assert config.clicks is not None  # Of the local environment.
    return f"http://localhost:{config.clicks.port}"
