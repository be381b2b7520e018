"""How to reach PostgreSQL."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import SecretStr

from account_alerts.config.types import LocalPort, Port, Section, Text


class Database(Section):
    """How to reach a PostgreSQL database; the password comes from the environment."""

    host: Text
    port: Annotated[Port, LocalPort("postgres_port")]
    name: Text
    user: Text
    password: SecretStr | None = None
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    ca_file: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    """Who may vouch for the server, where `ssl_mode` verifies; PEM. Default: the system's authorities."""
