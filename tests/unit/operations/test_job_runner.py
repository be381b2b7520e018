"""What `flink run` is told, and how a planned job is told its savepoint."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from account_alerts.config import load
from account_alerts.model.errors import OperationError
from operations.flink import versions
from operations.flink.run import JobSubmission, RunFolder, Version
from operations.job_runner import ClusterJobRunner
from operations.job_store import DesiredState, UpgradeMode
from tests.unit.operations.fakes import FakeFlink, job

ID = "0123456789abcdef0123456789abcdef"
OPERATORS = {"join-rules": ["ROW<`a` STRING>"]}


class Clients:
    """Stands for the clients of `flink run`: they print an id at once."""

    def __init__(self, flink: FakeFlink) -> None:
        self.commands: list[tuple[JobSubmission, list[str]]] = []
        self.flink = flink

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def client(
            submission: JobSubmission, file: str, restored: list[str], *options: str
        ) -> "subprocess.Popen[str]":
            self.commands.append((submission, [file, *restored, *options]))
            submission.operators.mkdir(parents=True, exist_ok=True)
            (submission.operators / f"{submission.label}.json").write_text(json.dumps(OPERATORS))
            self.flink.known[ID] = job(ID, submission.label)
            with submission.output.open("w") as output:
                return subprocess.Popen(
                    [sys.executable, "-S", "-c", f"print('JobID {ID}')"], stdout=output, text=True
                )

        monkeypatch.setattr(JobSubmission, "client", client)


@pytest.fixture
def runner(tmp_path: Path) -> ClusterJobRunner:
    return ClusterJobRunner(load(), FakeFlink(), RunFolder(tmp_path))


@pytest.fixture
def clients(runner: ClusterJobRunner, monkeypatch: pytest.MonkeyPatch) -> Clients:
    assert isinstance(runner.flink, FakeFlink)
    clients = Clients(runner.flink)
    clients.install(monkeypatch)
    return clients


def test_a_job_without_state(runner: ClusterJobRunner, clients: Clients) -> None:
    runner.submit(["alerting"], UpgradeMode.STATELESS)
    [(submission, arguments)] = clients.commands
    assert arguments == ["alerting_job.py"]
    assert submission.code == versions.store(runner.folder)
    kept = runner.store.read("alerting")
    assert (kept.state, kept.ids, kept.savepoint) == (DesiredState.RUNNING, [ID], None)
    assert kept.version == Version(str(submission.code), str(submission.config), OPERATORS)


def test_a_job_from_a_savepoint(runner: ClusterJobRunner, clients: Clients) -> None:
    runner.submit(["alerting"], UpgradeMode.SAVEPOINT, "s3://s/savepoint-1")
    assert clients.commands[0][1] == ["alerting_job.py", "-s", "s3://s/savepoint-1", "-claimMode", "NO_CLAIM"]
    assert runner.store.read("alerting").savepoint is None  # It runs: that is not its newest state any more.


def test_on_a_cluster_the_last_state_is_known_only_after_a_stop(
    runner: ClusterJobRunner, clients: Clients
) -> None:
    with pytest.raises(OperationError, match="--from-savepoint ADDRESS`, or begin with --stateless"):
        runner.submit(["alerting"], UpgradeMode.LAST_STATE)
    with runner.store.edit("alerting") as record:
        record.resume_from("s3://s/savepoint-2")
    assert runner.last_state("alerting") == "s3://s/savepoint-2"
    with runner.store.edit("alerting") as record:
        record.savepoint, record.stopping = None, "a1"
    assert isinstance(runner.flink, FakeFlink)
    runner.flink.known["a1"] = job("a1", "alerting", "FINISHED")
    assert runner.last_state("alerting") == "s3://s/savepoint-a1"


def test_state_is_gone_on_from_by_the_version_that_made_it(
    runner: ClusterJobRunner, clients: Clients, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    with runner.store.edit("alerting") as record:
        record.submitted("a1", Version(str(tmp_path / "old"), "/old.yaml", {}))
        record.resume_from("s3://s/savepoint-2")
    runner.submit(["alerting"], UpgradeMode.LAST_STATE)
    assert clients.commands[0][0].code == tmp_path / "old"
    assert clients.commands[0][0].config == Path("/old.yaml")


def test_state_of_the_version_with_alert_rules_is_not_gone_on_from(
    runner: ClusterJobRunner, clients: Clients, tmp_path: Path
) -> None:
    with runner.store.edit("alerting") as record:
        record.submitted("a1", Version(str(tmp_path), "/old.yaml", {"read-alert_rules": []}))
        record.resume_from("s3://s/savepoint-2")
    with pytest.raises(OperationError, match="'From a version with alert-rules'"):
        runner.submit(["alerting"], UpgradeMode.LAST_STATE)
    assert clients.commands == []


def test_a_job_that_runs_is_not_submitted_again(runner: ClusterJobRunner, clients: Clients) -> None:
    assert isinstance(runner.flink, FakeFlink)
    runner.flink.known["a1"] = job("a1", "alerting")
    with pytest.raises(OperationError, match=r"alerting: runs already \(job a1\)"):
        runner.submit(["reminders", "alerting"], UpgradeMode.STATELESS)
    assert clients.commands == []
