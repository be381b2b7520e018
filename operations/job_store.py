"""What is remembered of the jobs: which are to run, under which ids and with which versions they ran.

On the laptop it stands in the environment's state folder; of a cluster elsewhere, in a folder of the user who
steers it. The words are those of the Flink Kubernetes Operator.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from operations.flink.run import RunFolder, Version
from operations.waiting import wait_for

_KEPT_IDS = 20
_CLAIM_SECONDS = 300


class DesiredState(StrEnum):
    """Whether a job is meant to run."""

    RUNNING = "running"
    SUSPENDED = "suspended"


class UpgradeMode(StrEnum):
    """What a submitted job begins with."""

    STATELESS = "stateless"
    LAST_STATE = "last-state"
    """The newest checkpoint, or the savepoint of an upgrade that was cut short."""
    SAVEPOINT = "savepoint"


@dataclass(frozen=True)
class PreviousVersion:
    """What `alerts rollback` goes back to."""

    version: Version
    savepoint: str
    """The address of the upgrade's savepoint."""


@dataclass
class JobRecord:
    """One job's history."""

    state: DesiredState = DesiredState.SUSPENDED
    """The reconciler resubmits the job only while it is desired to run."""
    ids: list[str] = field(default_factory=list)
    """The ids it ran under, the newest last; they lead to its checkpoints."""
    version: Version | None = None
    """What it runs; None where it was never submitted from here."""
    stopping: str | None = None
    """The id of the job that is being stopped with a savepoint, to go on from that at once."""
    savepoint: str | None = None
    """The address of what to resume from as long as there is no checkpoint of `ids`."""
    previous: PreviousVersion | None = None
    options: list[str] = field(default_factory=list)
    """What its file is given besides the configuration: of an analyst's rule, which."""

    @classmethod
    def parse(cls, data: dict[str, Any]) -> "JobRecord":
        """Read what `dataclasses.asdict` made; what an older release wrote besides is left out."""
        known = {field.name for field in fields(cls)}
        record = cls(**{key: value for key, value in data.items() if key in known})
        record.state = DesiredState(record.state)
        if data.get("version"):
            record.version = Version(**data["version"])
        if data.get("previous"):
            before = data["previous"]
            record.previous = PreviousVersion(Version(**before["version"]), before["savepoint"])
        return record

    def submitted(self, job_id: str, version: Version) -> None:
        """Note that it was submitted and is meant to run."""
        self.state, self.version, self.stopping = DesiredState.RUNNING, version, None
        self.ids = [*[old for old in self.ids if old != job_id], job_id][-_KEPT_IDS:]

    def resume_from(self, savepoint: str | None) -> None:
        """Note what to go on from, and not from checkpoints of its earlier lives."""
        self.ids, self.stopping, self.savepoint = [], None, savepoint


class JobStore:
    """The records of all jobs, in a file that one process at a time changes."""

    def __init__(self, folder: RunFolder) -> None:
        """Keep them in a folder."""
        self.folder = folder

    @contextmanager
    def records(self) -> Iterator[dict[str, JobRecord]]:
        """Give the records by job name, to read and change; they are written on leaving."""
        self.folder.root.mkdir(parents=True, exist_ok=True)
        with self.folder.jobs.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            text = self.folder.jobs.read_text() if self.folder.jobs.exists() else ""
            current = {name: JobRecord.parse(data) for name, data in json.loads(text or "{}").items()}
            yield current
            changed = json.dumps({name: asdict(record) for name, record in current.items()}, indent=1)
            if changed != text:
                # Whole or not at all: a command that is killed here must not make the jobs forgotten.
                temporary = self.folder.jobs.with_suffix(".part")
                temporary.write_text(changed)
                temporary.replace(self.folder.jobs)

    @contextmanager
    def edit(self, name: str) -> Iterator[JobRecord]:
        """Give a job's record to change; it is written on leaving."""
        with self.records() as records:
            yield records.setdefault(name, JobRecord())

    def read(self, name: str) -> JobRecord:
        """Return what is remembered of a job."""
        with self.records() as records:
            return records.get(name, JobRecord())

    def suspend(self, name: str) -> None:
        """Note that a job is not meant to run."""
        with self.edit(name) as record:
            record.state = DesiredState.SUSPENDED

    def suspend_all(self) -> None:
        """Note that no job is meant to run until it is submitted again."""
        with self.records() as records:
            for record in records.values():
                record.state = DesiredState.SUSPENDED

    def used_code(self) -> set[str]:
        """Return the folders of code that a job runs, or could go back to."""
        with self.records() as records:
            versions = [record.version for record in records.values()]
            versions += [record.previous.version for record in records.values() if record.previous]
        return {version.code for version in versions if version}

    @contextmanager
    def claim(self, name: str) -> Iterator[None]:
        """Claim a job for one command; a crash releases it, once the client that it started has ended.

        What that client submits is then known to whoever claims the job next.

        Raises:
            OperationError: Somebody else is at it for minutes.
        """
        self.folder.root.mkdir(parents=True, exist_ok=True)
        with (self.folder.root / f"submit-{name}.lock").open("w") as lock:
            os.set_inheritable(lock.fileno(), True)

            def claimed() -> bool:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True

            remedy = "Another command is submitting or upgrading it."
            wait_for(f"{name}: its turn", claimed, _CLAIM_SECONDS, remedy)
            yield


def cluster_folder(config: Config) -> RunFolder:
    """Return the folder for the jobs of a cluster that this tool did not start.

    Raises:
        OperationError: It cannot be made.
    """
    try:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        folder = RunFolder(base / "account-alerts" / config.environment)
        folder.root.mkdir(parents=True, exist_ok=True)
        folder.root.chmod(0o700)  # Flink's options and the clients' logs may hold secrets.
        folder.make()
    except (OSError, RuntimeError) as error:
        raise OperationError(
            f"What is submitted cannot be remembered: {error}. Set XDG_STATE_HOME to a folder."
        ) from error
    return folder
