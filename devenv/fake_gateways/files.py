"""Where the local gateways keep things: all below one folder of the environment's state."""

from dataclasses import dataclass
from pathlib import Path

from account_alerts.config import Config


@dataclass(frozen=True)
class Files:
    """The local gateways' files."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The self-made certificate, which clients are made to trust."""
        return self.folder / "tls/localhost.pem"

    @property
    def private_key(self) -> Path:
        """Its key."""
        return self.folder / "tls/localhost.key"

    @property
    def keys(self) -> Path:
        """The secrets as JSON."""
        return self.folder / "keys.json"

    @property
    def variables(self) -> Path:
        """The secrets as a shell sets variables."""
        return self.folder / "variables.sh"

    @property
    def mails(self) -> Path:
        """A Maildir for each address."""
        return self.folder / "mails"

    @property
    def sms(self) -> Path:
        """What the SMSC took, one JSON object a line."""
        return self.folder / "sms.jsonl"

    @property
    def pushes(self) -> Path:
        """What the push services took, one JSON object a line."""
        return self.folder / "pushes.jsonl"

    @property
    def devices(self) -> Path:
        """The browsers' private keys."""
        return self.folder / "devices"


def files(config: Config) -> Files:
    """Return the files of an environment."""
    return Files(config.local_environment().state / "gateways")
