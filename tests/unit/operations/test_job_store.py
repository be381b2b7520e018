"""What is remembered of the jobs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from account_alerts.config import load
from account_alerts.model.errors import OperationError
from operations.flink.run import RunFolder, Version
from operations.job_store import DesiredState, JobRecord, JobStore, PreviousVersion, cluster_folder

CODE = Version("/code", "/config", {"join-rules": ["ROW<`a` STRING>"]})


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(RunFolder(tmp_path))


def test_what_was_written_is_read(store: JobStore) -> None:
    with store.edit("alerting") as record:
        record.submitted("a1", CODE)
        record.previous = PreviousVersion(Version("/old", "/c", {}), "s3://s/savepoint-1")
        record.options = ["--rule", "r.sql"]
    assert store.read("alerting") == JobRecord(
        DesiredState.RUNNING,
        ["a1"],
        CODE,
        previous=PreviousVersion(Version("/old", "/c", {}), "s3://s/savepoint-1"),
        options=["--rule", "r.sql"],
    )


def test_a_command_that_dies_while_it_writes_makes_no_job_forgotten(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.edit("alerting") as record:
        record.submitted("a1", CODE)

    def dies(path: Path, text: str) -> int:
        with path.open("w") as file:
            file.write(text[:5])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", dies)
        with pytest.raises(KeyboardInterrupt):
            store.suspend("alerting")
    assert store.read("alerting").state == DesiredState.RUNNING


def test_of_an_unknown_job_nothing_is_remembered(store: JobStore) -> None:
    assert store.read("alerting") == JobRecord()


def test_of_an_older_releases_records_the_checkpoints_are_found(store: JobStore) -> None:
    old = {"wanted": True, "ids": ["a1"], "code": "/code", "config": "/c", "operators": {}, "former": None}
    store.folder.jobs.write_text(json.dumps({"alerting": old}))
    assert store.read("alerting") == JobRecord(ids=["a1"])


def test_only_the_newest_ids_are_kept() -> None:
    record = JobRecord()
    for number in range(30):
        record.submitted(f"a{number}", CODE)
    record.submitted("a15", CODE)
    assert (len(record.ids), record.ids[-1], record.ids[0]) == (20, "a15", "a10")


def test_a_clusters_jobs_are_remembered_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert cluster_folder(load()).root == tmp_path / "account-alerts/local"
    assert cluster_folder(load()).root.stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null")
    with pytest.raises(OperationError, match="XDG_STATE_HOME"):
        cluster_folder(load())


_KILLED = """
import os, signal, sys
from pathlib import Path
from operations.flink.run import JobSubmission, RunFolder
from operations.job_store import JobStore

JobSubmission.command = lambda *_: ["sleep", "600"]
folder = RunFolder(Path(sys.argv[1]))
folder.make()
with JobStore(folder).claim("alerting"):
    client = JobSubmission(folder, "alerting-new", Path("/"), Path("/config")).client("alerting_job.py", [])
    print(client.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_command_is_submitting_is_waited_for(
    store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the job would be submitted a second time, and two of them would run."""
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    client = int(killed.stdout)
    monkeypatch.setattr("operations.job_store._CLAIM_SECONDS", 0.2)
    try:
        with pytest.raises(OperationError, match="Another command is submitting"), store.claim("alerting"):
            pass
    finally:
        os.kill(client, signal.SIGKILL)
    monkeypatch.setattr("operations.job_store._CLAIM_SECONDS", 60)
    with store.claim("alerting"):
        pass
