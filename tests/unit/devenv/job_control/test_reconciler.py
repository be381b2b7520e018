"""Which jobs are resubmitted on the laptop, and from what."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from account_alerts.config import load
from devenv.job_control.reconciler import missing_jobs, resubmit
from devenv.job_control.runner import LocalJobRunner
from devenv.layout import Layout
from devenv.ports import throw_away
from operations.flink.run import Version
from operations.job_store import DesiredState, JobStore, PreviousVersion
from tests.unit.operations.fakes import FakeFlink, job

CODE = Version("/code", "/config", {})
NEW = Version("/new", "/config", {})


@pytest.fixture
def runner(tmp_path: Path) -> LocalJobRunner:
    return LocalJobRunner(throw_away(load(), tmp_path), FakeFlink())


@pytest.fixture
def store(runner: LocalJobRunner) -> JobStore:
    return runner.store


def submitted(store: JobStore, job_id: str, version: Version = CODE) -> None:
    with store.edit("alerting") as record:
        record.submitted(job_id, version)


def stopped(store: JobStore, savepoint: str) -> None:
    with store.edit("alerting") as record:
        record.resume_from(savepoint)


def stopping(store: JobStore, job_id: str) -> None:
    with store.edit("alerting") as record:
        record.stopping = job_id


def checkpoint(layout: Layout, job_id: str, number: int, age: int, *, complete: bool = True) -> str:
    folder = layout.checkpoints / job_id / f"chk-{number}"
    folder.mkdir(parents=True)
    if complete:
        (folder / "_metadata").touch()
        os.utime(folder / "_metadata", (1000 - age, 1000 - age))
    return folder.as_uri()


def test_a_job_the_jobmanager_has_forgotten_is_missing(store: JobStore) -> None:
    submitted(store, "a1")
    assert missing_jobs(store, FakeFlink()) == ["alerting"]


@pytest.mark.parametrize("state", ["RUNNING", "RESTARTING", "FAILING", "INITIALIZING"])
def test_a_live_job_is_left_alone(store: JobStore, state: str) -> None:
    submitted(store, "a1")
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", state))) == []


def test_a_job_somebody_else_submitted_is_not_doubled(store: JobStore) -> None:
    submitted(store, "a1")
    assert missing_jobs(store, FakeFlink(job("b1", "alerting"))) == []


@pytest.mark.parametrize("state", ["CANCELED", "FINISHED", "FAILED"])
def test_a_job_that_ended_stays_ended_also_after_a_restart(store: JobStore, state: str) -> None:
    submitted(store, "a1")
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", state))) == []
    assert missing_jobs(store, FakeFlink()) == []


def test_nothing_is_missing_after_down(store: JobStore) -> None:
    submitted(store, "a1")
    store.suspend_all()
    assert missing_jobs(store, FakeFlink()) == []


def test_a_job_submitted_again_after_it_was_cancelled_is_desired(store: JobStore) -> None:
    submitted(store, "a1")
    missing_jobs(store, FakeFlink(job("a1", "alerting", "CANCELED")))
    submitted(store, "a2")
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", "CANCELED"), job("a2", "alerting"))) == []
    assert missing_jobs(store, FakeFlink()) == ["alerting"]


def test_the_chain_comes_first(store: JobStore) -> None:
    for name in ("adhoc-alerts", "alerting", "rule-r"):
        with store.edit(name) as record:
            record.submitted("x", CODE)
    assert missing_jobs(store, FakeFlink()) == ["alerting", "adhoc-alerts", "rule-r"]


def test_newest_complete_checkpoint_of_any_life(runner: LocalJobRunner) -> None:
    store, layout = runner.store, runner.layout
    assert runner.last_state("alerting") is None
    submitted(store, "a1")
    submitted(store, "a2")
    newest_of_first = checkpoint(layout, "a1", 9, age=20)
    checkpoint(layout, "a1", 8, age=30)
    checkpoint(layout, "a2", 10, age=0, complete=False)
    checkpoint(layout, "other", 50, age=0)
    # The second life died before it finished a checkpoint.
    assert runner.last_state("alerting") == newest_of_first
    newest = checkpoint(layout, "a2", 11, age=10)
    assert runner.last_state("alerting") == newest


def test_while_a_job_is_upgraded_its_old_version_would_come_back(runner: LocalJobRunner) -> None:
    store = runner.store
    submitted(store, "a1")
    checkpoint(runner.layout, "a1", 9, age=0)
    stopped(store, "file:/savepoint")
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", "FINISHED"))) == ["alerting"]
    assert runner.last_state("alerting") == "file:/savepoint"
    assert store.read("alerting").version == CODE


def test_a_job_that_was_being_stopped_comes_back_from_its_newest_savepoint(runner: LocalJobRunner) -> None:
    store = runner.store
    submitted(store, "a1b2c3d4")
    stopping(store, "a1b2c3d4")
    made = runner.layout.savepoints / "savepoint-a1b2c3-0"
    made.mkdir(parents=True)
    (made / "_metadata").touch()
    assert missing_jobs(store, FakeFlink(job("a1b2c3d4", "alerting"))) == []
    assert missing_jobs(store, FakeFlink(job("a1b2c3d4", "alerting", "FINISHED"))) == ["alerting"]
    assert runner.last_state("alerting") == made.as_uri()


def test_a_job_that_was_to_be_stopped_and_was_cancelled_stays_ended(store: JobStore) -> None:
    submitted(store, "a1")
    stopping(store, "a1")  # Flink gave no answer: it may have stopped, or not.
    assert missing_jobs(store, FakeFlink(job("a1", "alerting"))) == []
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", "FINISHED"))) == ["alerting"]
    assert missing_jobs(store, FakeFlink(job("a1", "alerting", "CANCELED"))) == []
    assert store.read("alerting").state == DesiredState.SUSPENDED


def test_after_an_upgrade_only_the_new_version_counts(runner: LocalJobRunner) -> None:
    store = runner.store
    submitted(store, "a1")
    checkpoint(runner.layout, "a1", 9, age=0)
    stopped(store, "file:/savepoint")
    with store.edit("alerting") as record:
        record.previous = PreviousVersion(CODE, "file:/savepoint")
        record.submitted("a2", NEW)
    assert runner.last_state("alerting") == "file:/savepoint"
    newest = checkpoint(runner.layout, "a2", 1, age=10)
    assert runner.last_state("alerting") == newest
    assert store.used_code() == {"/new", "/code"}


class SubmittedElsewhere(LocalJobRunner):
    """Another command submits the job before this one has its turn."""

    @contextmanager
    def claim(self, name: str) -> Iterator[None]:
        with super().claim(name):
            assert isinstance(self.flink, FakeFlink)
            submitted(self.store, self.flink.run(name, None))
            yield


@pytest.mark.parametrize(("kind", "tries"), [(LocalJobRunner, 1), (SubmittedElsewhere, 0)])
def test_a_job_that_was_submitted_meanwhile_is_not_submitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[LocalJobRunner], tries: int
) -> None:
    runner = kind(throw_away(load(), tmp_path), FakeFlink())
    started: list[str] = []
    monkeypatch.setattr(runner, "start", lambda name, *_, **__: started.append(name))
    submitted(runner.store, "a1")
    assert resubmit(runner, "alerting")
    assert started == ["alerting"] * tries
