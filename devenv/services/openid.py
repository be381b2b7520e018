"""The OpenID provider of the local environment."""

import shlex
import sys

from account_alerts.config import Config
from devenv.layout import Layout
from devenv.services.health import answers


def write(config: Config, layout: Layout) -> str:
    """Write its configuration; return the shell command that becomes it."""
    file = layout.state / "openid.yaml"
    config.write(file)
    return f"exec {shlex.join([sys.executable, '-m', 'devenv.bank.openid_provider', '--config', str(file)])}"


def ready(config: Config) -> bool:
    """Tell whether it answers."""
    return answers(f"{where(config)}/healthz")


def where(config: Config) -> str:
    """Return its address, where one gets tokens for the API."""
    return config.require("web").openid.issuer
