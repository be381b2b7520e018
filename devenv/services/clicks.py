"""The clicks endpoint of the local environment."""

import shlex
import sys

import httpx2

from account_alerts.config import Config
from devenv.layout import Layout


def write(config: Config, layout: Layout) -> str:
    """Write its configuration; returns the shell command that becomes it."""
    file = layout.state / "clicks.yaml"
    config.write(file)
    return f"exec {shlex.join([sys.executable, '-m', 'ingest.clicks', '--config', str(file)])}"


def ready(config: Config) -> bool:
    """Whether it answers, and Kafka does."""
    try:
        return httpx2.get(f"{where(config)}/readyz", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def where(config: Config) -> str:
    """Its address; a form to try is at /demo."""
    assert config.clicks is not None  # Of the local environment.
    return f"http://localhost:{config.clicks.port}"
