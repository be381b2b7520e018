"""Upgrading a job and going back, on a JobManager in memory."""

from dataclasses import replace
from pathlib import Path

import pytest

from account_alerts.config import PROJECT, load
from account_alerts.model.errors import OperationError
from operations import upgrade as upgrading
from operations.flink import versions
from operations.flink.run import RunFolder, Version
from operations.job_store import DesiredState, JobRecord, PreviousVersion, UpgradeMode
from tests.unit.operations.fakes import FakeFlink, FakeRunner, uids

OLD_OPERATORS = uids(["read-bookings", "join-rules"])


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A project's folder, with a file in each part."""
    for part in versions.PARTS:
        (tmp_path / "b" / part).mkdir(parents=True)
        (tmp_path / "b" / part / "file").write_text(part)
    return tmp_path / "b"


@pytest.fixture
def runner(tmp_path: Path, code: Path) -> FakeRunner:
    """The job runs, with the version of another folder."""
    flink, folder = FakeFlink(), RunFolder(tmp_path / "state")
    folder.make()
    stored = versions.store(folder, code)
    old = tmp_path / "old"
    old.mkdir()
    config = tmp_path / "config.yaml"
    load().write(config)
    operators = {stored.name: OLD_OPERATORS, "old": OLD_OPERATORS}
    at_once = load(overrides={"flink": {"healthy_after": "0ms"}})
    runner = FakeRunner(flink, folder, operators=operators, config=at_once)
    with runner.store.edit("alerting") as record:
        record.submitted(flink.run("alerting", None), Version(str(old), str(config), OLD_OPERATORS))
    return runner


def record(runner: FakeRunner) -> JobRecord:
    return runner.store.read("alerting")


def with_operators(runner: FakeRunner, *names: str) -> None:
    """Let the new version have these operators."""
    runner.operators = {name: uids(names) for name in runner.operators if name != "old"} | {
        "old": OLD_OPERATORS
    }


def test_the_new_version_goes_on_from_the_savepoint(runner: FakeRunner, code: Path) -> None:
    before = runner.flink.live("alerting")
    upgrading.upgrade(runner, "alerting", code)
    now = runner.flink.live("alerting")
    assert runner.flink.restored[now] == f"s3://s/savepoint-{before}"
    assert runner.flink.known[before].state == "FINISHED"
    kept = record(runner)
    assert kept.version == runner.prepared[0].version
    assert (kept.state, kept.ids, kept.savepoint, kept.stopping) == (DesiredState.RUNNING, [now], None, None)
    assert kept.previous is not None
    assert kept.previous.savepoint == f"s3://s/savepoint-{before}"
    assert kept.previous.version.code.endswith("/old")


def test_and_back(runner: FakeRunner, code: Path) -> None:
    upgrading.upgrade(runner, "alerting", code)
    newer = runner.flink.live("alerting")
    upgrading.rollback(runner, "alerting")
    assert runner.flink.restored[runner.flink.live("alerting")] == f"s3://s/savepoint-{newer}"
    kept = record(runner)
    assert kept.version is not None
    assert kept.version.code.endswith("/old")
    assert kept.previous is not None
    assert kept.previous.version == runner.prepared[0].version


def test_incompatible_state_is_refused_before_anything_is_stopped(runner: FakeRunner, code: Path) -> None:
    before, kept = runner.flink.live("alerting"), record(runner)
    with_operators(runner, "read-bookings")
    with pytest.raises(OperationError, match=r"goes on as it is.*\njoin-rules: is not in the new version"):
        upgrading.upgrade(runner, "alerting", code)
    assert runner.flink.live("alerting") == before
    assert record(runner) == kept
    assert runner.prepared[0].discarded


def test_state_of_the_version_with_alert_rules_is_refused_with_the_way_round(
    runner: FakeRunner, code: Path
) -> None:
    before = runner.flink.live("alerting")
    with runner.store.edit("alerting") as kept:
        assert kept.version is not None
        old = replace(kept.version, operators=uids(["join-rules", "read-alert_rules"]))
        kept.version, kept.previous = old, PreviousVersion(old, "s3://s/savepoint-1")
    way = r"state is of a version with the job alert-rules.*docs/operations/upgrades\.md"
    with pytest.raises(OperationError, match=way):
        upgrading.upgrade(runner, "alerting", code, ["join-rules", "read-alert_rules"])
    with pytest.raises(OperationError, match=way):
        upgrading.rollback(runner, "alerting")
    assert runner.flink.live("alerting") == before
    assert runner.prepared == []


def test_state_may_be_dropped_by_name(runner: FakeRunner, code: Path) -> None:
    with_operators(runner, "read-bookings")
    upgrading.upgrade(runner, "alerting", code, ["join-rules"])
    assert runner.prepared[0].dropped is True


def test_a_version_that_fails_is_gone_back_from(runner: FakeRunner, code: Path) -> None:
    before, old = runner.flink.live("alerting"), record(runner).version
    runner.failure = "broken on purpose"
    with pytest.raises(OperationError, match=r"the version before runs again.*broken on purpose"):
        upgrading.upgrade(runner, "alerting", code)
    now = runner.flink.live("alerting")
    assert runner.flink.restored[now] == f"s3://s/savepoint-{before}"
    states = [job.state for job in runner.flink.known.values()]
    assert states == ["FINISHED", "CANCELED", "RUNNING"]
    assert record(runner).version == old
    assert record(runner).previous is None


def test_interrupted_before_the_new_version_runs_the_old_one_comes_back(
    runner: FakeRunner, code: Path
) -> None:
    before, old = runner.flink.live("alerting"), record(runner).version
    runner.cannot_start = "Ctrl-C"
    with pytest.raises(OperationError, match="the version before runs again"):
        upgrading.upgrade(runner, "alerting", code)
    assert runner.submitted == [("alerting", UpgradeMode.LAST_STATE, f"s3://s/savepoint-{before}")]
    assert record(runner).version == old


def test_killed_when_the_job_is_stopped_it_is_known_what_to_go_on_from(
    runner: FakeRunner, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, old = runner.flink.live("alerting"), record(runner).version

    def killed(*_: object, **__: object) -> None:
        raise SystemExit  # Nothing that is caught, as by SIGKILL.

    monkeypatch.setattr("tests.unit.operations.fakes.FakePrepared.start", killed)
    with pytest.raises(SystemExit):
        upgrading.upgrade(runner, "alerting", code)
    kept = record(runner)
    assert (kept.state, kept.version) == (DesiredState.RUNNING, old)
    assert (kept.ids, kept.savepoint) == ([], f"s3://s/savepoint-{before}")


def test_a_job_that_makes_no_savepoint_goes_on(runner: FakeRunner, code: Path) -> None:
    before = runner.flink.live("alerting")
    runner.flink.makes_savepoints = False
    with pytest.raises(
        OperationError, match="goes on as it is; it could not be stopped: a task is not running"
    ):
        upgrading.upgrade(runner, "alerting", code)
    assert runner.flink.live("alerting") == before
    assert record(runner).stopping is None


def test_where_flink_gives_no_answer_it_is_known_that_the_job_may_stop(
    runner: FakeRunner, code: Path
) -> None:
    runner.flink.unreachable_on_stop = True
    with pytest.raises(OperationError, match="whether it stops is not known"):
        upgrading.upgrade(runner, "alerting", code)
    assert record(runner).stopping == runner.flink.live("alerting")


def test_a_sick_version_is_rolled_back_to_the_upgrades_savepoint(runner: FakeRunner, code: Path) -> None:
    first = runner.flink.live("alerting")
    upgrading.upgrade(runner, "alerting", code)
    runner.flink.makes_savepoints = False
    upgrading.rollback(runner, "alerting")
    assert runner.flink.restored[runner.flink.live("alerting")] == f"s3://s/savepoint-{first}"


def test_what_the_newer_version_alone_remembers_is_left_out(runner: FakeRunner, code: Path) -> None:
    with_operators(runner, *OLD_OPERATORS, "count")
    upgrading.upgrade(runner, "alerting", code)
    newer = runner.flink.live("alerting")
    upgrading.rollback(runner, "alerting")
    assert runner.prepared[1].dropped is True
    assert runner.flink.restored[runner.flink.live("alerting")] == f"s3://s/savepoint-{newer}"


def test_what_is_needed_is_named(runner: FakeRunner) -> None:
    with pytest.raises(OperationError, match=r"reminders: does not run. Start it: alerts submit reminders"):
        upgrading.upgrade(runner, "reminders")
    with pytest.raises(OperationError, match="alerting: no version before is known"):
        upgrading.rollback(runner, "alerting")
    with pytest.raises(OperationError, match="has no folder jobs"):
        upgrading.upgrade(runner, "alerting", PROJECT / "conf")
