"""The web application of the local environment."""

import secrets
import shlex
import sys

from account_alerts.config import PREFIX, Config
from devenv.layout import Layout
from devenv.services.health import answers


def write(config: Config, layout: Layout) -> str:
    """Write its configuration, and its secret once; return the shell command that becomes it."""
    from devenv.fake_gateways import secrets as gateways  # Here because it loads cryptography.

    file, secret = layout.state / "web.yaml", layout.state / "web.secret"
    config.write(file)
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
    command = shlex.join([sys.executable, "-m", "web", "--config", str(file)])
    # Links in mails are signed by the senders, and read here.
    begin = gateways.prefix(config)
    return f"{begin}{PREFIX}WEB__SESSION_SECRET=$(cat {shlex.quote(str(secret))}) exec {command}"


def ready(config: Config) -> bool:
    """Tell whether it answers."""
    return answers(f"http://localhost:{config.require('web').metrics_port}/readyz")


def where(config: Config) -> str:
    """Return the address of its pages."""
    return config.require("web").public_url
