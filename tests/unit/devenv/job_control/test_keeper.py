"""What is remembered of the jobs, and which the keeper brings back."""

import os
from pathlib import Path

import pytest

from account_alerts.model.errors import OperationError
from devenv.job_control import state as job_state
from devenv.job_control.keeper import lost_jobs
from devenv.layout import Layout
from jobs.catalog import names
from operations.flink import run
from operations.flink.rest import FlinkRest, Job
from operations.job_runner import restore

CODE = run.Version(Path("/code"), Path("/config"), {})


class Cluster(FlinkRest):
    """A JobManager that knows the given jobs."""

    def __init__(self, *jobs: Job) -> None:
        super().__init__("http://localhost:1")
        self.known = list(jobs)

    def jobs(self) -> list[Job]:
        return self.known


def job(job_id: str, name: str, state: str = "RUNNING") -> Job:
    return Job(job_id, name, state, 0, state == "RUNNING")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def checkpoint(layout: Layout, job_id: str, number: int, age: int, *, complete: bool = True) -> Path:
    folder = layout.checkpoints / job_id / f"chk-{number}"
    folder.mkdir(parents=True)
    if complete:
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (1000 - age, 1000 - age))
    return folder


def test_a_job_the_jobmanager_has_forgotten_is_lost(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    assert lost_jobs(layout, Cluster()) == ["alerting"]


@pytest.mark.parametrize("state", ["RUNNING", "RESTARTING", "FAILING", "INITIALIZING"])
def test_a_living_job_is_left_alone(layout: Layout, state: str) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    assert lost_jobs(layout, Cluster(job("a1", "alerting", state))) == []


def test_a_job_somebody_else_submitted_is_not_doubled(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    assert lost_jobs(layout, Cluster(job("b1", "alerting"))) == []


@pytest.mark.parametrize("state", ["CANCELED", "FINISHED", "FAILED"])
def test_a_job_that_ended_stays_ended_also_after_a_restart(layout: Layout, state: str) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    assert lost_jobs(layout, Cluster(job("a1", "alerting", state))) == []
    assert lost_jobs(layout, Cluster()) == []


def test_nothing_is_lost_after_down(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    job_state.rest(layout)
    assert lost_jobs(layout, Cluster()) == []


def test_a_job_submitted_again_after_it_was_cancelled_is_wanted(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    lost_jobs(layout, Cluster(job("a1", "alerting", "CANCELED")))
    job_state.started(layout, "alerting", "a2", CODE)
    assert lost_jobs(layout, Cluster(job("a1", "alerting", "CANCELED"), job("a2", "alerting"))) == []
    assert lost_jobs(layout, Cluster()) == ["alerting"]


def test_newest_complete_checkpoint_of_any_life(layout: Layout) -> None:
    assert job_state.newest_checkpoint(layout, "alerting") is None
    job_state.started(layout, "alerting", "a1", CODE)
    job_state.started(layout, "alerting", "a2", CODE)
    newest_of_first = checkpoint(layout, "a1", 9, age=20)
    checkpoint(layout, "a1", 8, age=30)
    checkpoint(layout, "a2", 10, age=0, complete=False)
    checkpoint(layout, "other", 50, age=0)
    # The second life died before it finished a checkpoint.
    assert job_state.newest_checkpoint(layout, "alerting") == newest_of_first
    newest = checkpoint(layout, "a2", 11, age=10)
    assert job_state.newest_checkpoint(layout, "alerting") == newest


def test_while_a_job_is_upgraded_its_old_version_would_come_back(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    checkpoint(layout, "a1", 9, age=0)
    job_state.stopped(layout, "alerting", Path("/savepoint"))
    assert lost_jobs(layout, Cluster(job("a1", "alerting", "FINISHED"))) == ["alerting"]
    assert job_state.newest_checkpoint(layout, "alerting") == Path("/savepoint")
    assert job_state.read(layout, "alerting").code == "/code"


def test_a_job_that_was_being_stopped_comes_back_from_its_newest_savepoint(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1b2c3d4", CODE)
    job_state.stopping(layout, "alerting", "a1b2c3d4")
    made = layout.savepoints / "savepoint-a1b2c3-0"
    made.mkdir(parents=True)
    (made / "_metadata").touch()
    assert lost_jobs(layout, Cluster(job("a1b2c3d4", "alerting"))) == []
    assert lost_jobs(layout, Cluster(job("a1b2c3d4", "alerting", "FINISHED"))) == ["alerting"]
    assert job_state.newest_checkpoint(layout, "alerting") == made


def test_a_job_that_was_to_be_stopped_and_was_cancelled_stays_ended(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    job_state.stopping(layout, "alerting", "a1")  # Flink gave no answer: it may have stopped, or not.
    assert lost_jobs(layout, Cluster(job("a1", "alerting"))) == []
    assert lost_jobs(layout, Cluster(job("a1", "alerting", "FINISHED"))) == ["alerting"]
    assert lost_jobs(layout, Cluster(job("a1", "alerting", "CANCELED"))) == []
    assert not job_state.read(layout, "alerting").wanted


def test_who_is_killed_while_he_takes_the_old_version_back_leaves_that_to_the_keeper(layout: Layout) -> None:
    job_state.started(layout, "alerting", "old1", CODE)
    old = job_state.read(layout, "alerting")
    savepoint = layout.savepoints / "savepoint-old1"
    job_state.stopped(layout, "alerting", savepoint)
    newer = run.Version(Path("/new"), Path("/new.yaml"), {})
    job_state.replaced(layout, "alerting", "new1", newer, {"code": "/code"})
    checkpoint(layout, "new1", 1, 5)
    job_state.goes_back(layout, "alerting", old, savepoint)
    assert lost_jobs(layout, Cluster(job("new1", "alerting", "CANCELED"))) == ["alerting"]
    assert job_state.newest_checkpoint(layout, "alerting") == savepoint
    assert job_state.read(layout, "alerting").code == "/code"


def test_after_an_upgrade_only_the_new_version_counts(layout: Layout) -> None:
    job_state.started(layout, "alerting", "a1", CODE)
    checkpoint(layout, "a1", 9, age=0)
    job_state.stopped(layout, "alerting", Path("/savepoint"))
    new = run.Version(Path("/new"), Path("/config"), {})
    job_state.replaced(layout, "alerting", "a2", new, {"code": "/code"})
    assert job_state.newest_checkpoint(layout, "alerting") == Path("/savepoint")
    newest = checkpoint(layout, "a2", 1, age=10)
    assert job_state.newest_checkpoint(layout, "alerting") == newest
    job_state.settled(layout, "alerting")
    record = job_state.read(layout, "alerting")
    assert (record.code, record.savepoint, record.former) == ("/new", None, {"code": "/code"})
    assert job_state.used_versions(layout) == {"/new", "/code"}


def test_a_checkpoint_is_taken_over_and_a_savepoint_is_not() -> None:
    assert restore(Path("/c/chk-7"))[-1] == "CLAIM"
    assert restore(Path("/s/savepoint-1"))[-1] == "NO_CLAIM"
    assert restore(None) == []


def test_job_names() -> None:
    assert names("all") == ["alert-rules", "alerting"]
    assert names("alerting") == ["alerting"]
    with pytest.raises(OperationError, match="alert-rules, alerting"):
        names("alertin")
