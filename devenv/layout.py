"""The state folder: where everything of one environment is, and how its processes are known."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from operations.flink.run import RunFolder

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
    def run_folder(self) -> RunFolder:
        """What is kept of the jobs that were submitted."""
        return RunFolder(self.state, {MARK: str(self.state), PROGRAM: "submit"})

    @property
    def logs(self) -> Path:
        """All logs."""
        return self.run_folder.logs

    @property
    def tmp(self) -> Path:
        """Temporary files of all processes."""
        return self.run_folder.tmp

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
        return self.run_folder.flink_conf

    @property
    def checkpoints(self) -> Path:
        """Checkpoints: `<job id>/chk-<n>`."""
        return self.state / "flink/checkpoints"

    @property
    def savepoints(self) -> Path:
        """Savepoints."""
        return self.state / "flink/savepoints"

    @property
    def foundation(self) -> Path:
        """A file that is there once Kafka has its topics and the databases their tables."""
        return self.state / "foundation"

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
        self.run_folder.make()
        for folder in (self.kafka, self.postgres, self.connect, self.checkpoints, self.savepoints):
            folder.mkdir(parents=True, exist_ok=True)

    def wipe(self) -> None:
        """Remove everything in the folder; call it while it is `locked`."""
        for entry in self.state.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _OWNER_FILE:
                entry.unlink()

    def environment(self, program: str) -> dict[str, str]:
        """Return the variables of a program: this process's, Flink's, and the marks."""
        return {**self.run_folder.environment(), PROGRAM: program}

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
    """Return the layout of the environment that a configuration describes."""
    return Layout(config.local_environment().state)
