"""The state folder: where everything of one environment is, and how its processes are known."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from account_alerts.config import PREFIX, Config, secret_variables
from account_alerts.installation import flink_environment
from account_alerts.model.errors import OperationError

MARK = "ACCOUNT_ALERTS_STATE"
"""Every process of an environment carries its state folder in this variable: so `down` finds them."""
PROGRAM = "ACCOUNT_ALERTS_PROGRAM"
"""The variable that says which of the environment's programs a process belongs to."""
_OWNER_FILE = "account-alerts"


@dataclass(frozen=True)
class Layout:
    """The files of one environment, all below `state`."""

    state: Path

    @property
    def config(self) -> Path:
        """The configuration in force, as the jobs read it."""
        return self.state / "config.yaml"

    @property
    def logs(self) -> Path:
        """All logs."""
        return self.state / "logs"

    @property
    def tmp(self) -> Path:
        """Temporary files of all processes."""
        return self.state / "tmp"

    @property
    def kafka(self) -> Path:
        """The broker's configuration and data."""
        return self.state / "kafka"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's configuration and data."""
        return self.state / "postgres"

    @property
    def connect(self) -> Path:
        """Kafka Connect's configuration and plugins."""
        return self.state / "connect"

    @property
    def queue(self) -> Path:
        """The message queue's configuration and journal."""
        return self.state / "queue"

    @property
    def flink_conf(self) -> Path:
        """Flink's configuration folder."""
        return self.state / "flink/conf"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints: `<job id>/chk-<n>`."""
        return self.state / "flink/checkpoints"

    @property
    def savepoints(self) -> Path:
        """Savepoints."""
        return self.state / "flink/savepoints"

    @property
    def versions(self) -> Path:
        """Code of the versions that were submitted, by what it consists of."""
        return self.state / "versions"

    @property
    def rules(self) -> Path:
        """The analysts' rules that were started, as they were then."""
        return self.state / "rules"

    @property
    def operators(self) -> Path:
        """Which operators of the running jobs hold state: `<job>.json`."""
        return self.state / "operators"

    @property
    def jobs(self) -> Path:
        """Which jobs are meant to run, and under which ids they ran."""
        return self.state / "jobs.json"

    @property
    def supervisor_conf(self) -> Path:
        """The supervisor's configuration."""
        return self.state / "supervisord.conf"

    @property
    def supervisor_log(self) -> Path:
        """The supervisor's log: what was started, what died."""
        return self.logs / "supervisord.log"

    def make(self) -> None:
        """Make the folders."""
        folders = (self.logs, self.tmp, self.kafka, self.postgres, self.connect, self.flink_conf)
        for folder in (
            *folders,
            self.checkpoints,
            self.savepoints,
            self.versions,
            self.operators,
            self.rules,
        ):
            folder.mkdir(parents=True, exist_ok=True)

    def wipe(self) -> None:
        """Remove everything in the folder; call it while it is `locked`."""
        for entry in self.state.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _OWNER_FILE:
                entry.unlink()

    def environment(self, program: str) -> dict[str, str]:
        """The variables of a program: this process's, Flink's, and the marks.

        The configuration is handed on by file, so the variables that override it are left out, but not
        the secrets.
        """
        secrets = secret_variables()
        inherited = {
            key: value
            for key, value in os.environ.items()
            if (not key.startswith((PREFIX, "FLINK_", "JVM_ARGS")) or key in secrets)
        }
        return {
            **inherited,
            **flink_environment(),
            "FLINK_CONF_DIR": str(self.flink_conf),
            "FLINK_LOG_DIR": str(self.logs),
            "FLINK_PID_DIR": str(self.tmp),
            "TMPDIR": str(self.tmp),
            MARK: str(self.state),
            PROGRAM: program,
        }

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Claim the folder for one `up` or `down`; a crash releases it.

        Raises:
            OperationError: Another one is at work, or the folder holds somebody else's files.
        """
        owner = self.state / _OWNER_FILE
        if self.state.exists() and not owner.exists() and any(self.state.iterdir()):
            raise OperationError(
                f"{self.state}: holds files that are not this environment's. "
                "Set local.state_dir to another folder."
            )
        self.state.mkdir(parents=True, exist_ok=True)
        with owner.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OperationError(
                    f"Another `alerts` command is starting or stopping {self.state}: "
                    "let it end, or stop it by Ctrl-C."
                ) from None
            file.write("State and logs of a local environment; `alerts up --fresh` empties this folder.\n")
            file.flush()
            yield


def layout(config: Config) -> Layout:
    """The layout of the environment that a configuration describes."""
    return Layout(config.local_environment().state)
