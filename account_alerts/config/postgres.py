"""TODO."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from account_alerts.config.types import Port, Section, Text


class Database(Section):
    """How to reach a PostgreSQL database; the password comes from the environment."""

    host: Text
    port: Port
    name: Text
    user: Text
    password: SecretStr | None = None
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    """Who may vouch for the server, where `ssl_mode` verifies; PEM. Default: the system's authorities."""
