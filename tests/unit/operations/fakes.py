"""An in-memory JobManager, and a client of `flink run` that submits to it."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from account_alerts.config import Config, load
from operations.flink.rest import FlinkUnreachableError, Job, SavepointError
from operations.flink.run import RunFolder, Version
from operations.job_store import JobStore, UpgradeMode


def job(job_id: str, name: str, state: str = "RUNNING") -> Job:
    return Job(job_id, name, state, 0, state == "RUNNING")


class FakeFlink:
    """A JobManager: what is asked of it happens at once, unless a test says otherwise."""

    url = "http://flink"

    def __init__(self, *jobs: Job) -> None:
        self.known = {job.id: job for job in jobs}
        self.restored: dict[str, str | None] = {}
        self.failures: dict[str, str] = {}
        self.makes_savepoints = True
        self.unreachable_on_stop = False
        self.slots_free = 10

    def run(self, name: str, restored: str | None) -> str:
        """Start a job; return its id."""
        job_id = f"{name}-{len(self.known) + 1}"
        self.known[job_id] = job(job_id, name)
        self.restored[job_id] = restored
        return job_id

    def end(self, job_id: str, state: str) -> None:
        """Let a job end."""
        self.known[job_id] = replace(self.known[job_id], state=state, all_tasks_running=False)

    def live(self, name: str) -> str:
        """Return the id of the one live job of that name."""
        [found] = [job.id for job in self.known.values() if job.name == name and job.live]
        return found

    def jobs(self) -> list[Job]:
        return list(reversed(self.known.values()))

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        checkpoint = {"external_path": f"s3://c/{job_id}/chk-1", "trigger_timestamp": float("inf")}
        savepoint = {"external_path": f"s3://s/savepoint-{job_id}"}
        stopped = self.known[job_id].state == "FINISHED"
        return {
            "counts": {"completed": 1},
            "latest": {"completed": checkpoint, "savepoint": savepoint if stopped else None},
        }

    def trigger_checkpoint(self, job_id: str) -> None:
        assert self.known[job_id].live

    def stop_with_savepoint(self, job_id: str, folder: str | None = None) -> str:
        if self.unreachable_on_stop:
            raise FlinkUnreachableError("no answer")
        return "request"

    def savepoint(self, job_id: str, request: str) -> str | None:
        assert request == "request"
        if not self.makes_savepoints:
            raise SavepointError("a task is not running")
        self.end(job_id, "FINISHED")
        return f"s3://s/savepoint-{job_id}"

    def cancel(self, job_id: str) -> None:
        self.end(job_id, "CANCELED")

    def last_failure(self, job_id: str) -> str:
        return self.failures.get(job_id, "")

    def free_slots(self) -> int:
        return self.slots_free


@dataclass
class FakePrepared:
    """A version that is planned; started from a savepoint it becomes a job of the cluster."""

    flink: FakeFlink
    name: str
    version: Version
    failure: str = ""
    cannot_start: str = ""
    discarded: bool = False
    dropped: bool | None = None

    def plan(self) -> Version:
        return self.version

    def start(self, savepoint: str, *, allow_dropped: bool) -> str:
        if self.cannot_start:
            raise KeyboardInterrupt(self.cannot_start)
        self.dropped = allow_dropped
        job_id = self.flink.run(self.name, savepoint)
        self.flink.failures[job_id] = self.failure
        return job_id

    def discard(self) -> None:
        self.discarded = True


@dataclass
class FakeRunner:
    """Submits to a `FakeFlink`, with real records in a folder."""

    flink: FakeFlink
    folder: RunFolder
    config: Config = field(default_factory=load)
    reconciles: bool = False
    operators: Mapping[str, dict[str, list[str]]] = field(default_factory=dict)
    """By folder of code."""
    failure: str = ""
    cannot_start: str = ""
    prepared: list[FakePrepared] = field(default_factory=list)
    submitted: list[tuple[str, UpgradeMode, str | None]] = field(default_factory=list)
    rules: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = JobStore(self.folder)

    def claim(self, name: str) -> AbstractContextManager[None]:
        return self.store.claim(name)

    def submit(self, names: Sequence[str], mode: UpgradeMode, savepoint: str | None = None) -> None:
        for name in names:
            self.start(name, mode, savepoint)

    def submit_rules(self, files: Mapping[str, Path], since: int) -> None:
        self.rules.update(files)
        for name in files:
            self.start(name, UpgradeMode.STATELESS)

    def start(
        self, name: str, mode: UpgradeMode, savepoint: str | None = None, version: Version | None = None
    ) -> str:
        record = self.store.read(name)
        if mode == UpgradeMode.LAST_STATE:
            savepoint = record.savepoint
        self.submitted.append((name, mode, savepoint))
        job_id = self.flink.run(name, savepoint)
        with self.store.edit(name) as kept:
            kept.submitted(job_id, version or kept.version or Version("/code", "/config", {}))
        return job_id

    def prepare(self, name: str, code: Path, config: Config) -> FakePrepared:
        version = Version(str(code), str(config.path), self.operators[code.name])
        prepared = FakePrepared(self.flink, name, version, self.failure, self.cannot_start)
        self.prepared.append(prepared)
        return prepared


def uids(names: Iterable[str]) -> dict[str, list[str]]:
    """Operators without keyed state."""
    return {name: [] for name in names}
