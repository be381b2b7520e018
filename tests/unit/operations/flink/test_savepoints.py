"""Stopping with a savepoint, and what a job goes on from."""

import pytest

from account_alerts.model.errors import OperationError
from operations.flink import savepoints
from operations.flink.rest import FlinkUnreachableError, SavepointError
from tests.unit.operations.fakes import FakeFlink, job


def test_a_stopped_job_leaves_a_savepoint() -> None:
    flink = FakeFlink(job("a1", "alerting"))
    assert savepoints.stop(flink, flink.known["a1"]) == "s3://s/savepoint-a1"
    assert flink.known["a1"].state == "FINISHED"
    assert savepoints.final_state(flink, flink.known["a1"]) == "s3://s/savepoint-a1"


def test_a_job_that_makes_none_goes_on_or_is_cancelled() -> None:
    flink = FakeFlink(job("a1", "alerting"))
    flink.makes_savepoints = False
    with pytest.raises(SavepointError):
        savepoints.stop(flink, flink.known["a1"])
    assert flink.known["a1"].live
    assert savepoints.stop_or_cancel(flink, flink.known["a1"]) == "s3://c/a1/chk-1"
    assert flink.known["a1"].state == "CANCELED"
    assert savepoints.final_state(flink, flink.known["a1"]) == "s3://c/a1/chk-1"


def test_no_answer_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    flink = FakeFlink(job("a1", "alerting"))
    monkeypatch.setattr(flink, "savepoint", _unreachable)
    with pytest.raises(OperationError, match="alerting: savepoint: not within 0 s"):
        savepoints.stop(flink, flink.known["a1"], seconds=0)


def _unreachable(*_: object) -> str:
    raise FlinkUnreachableError("no answer")


def test_a_checkpoint_is_claimed_and_a_savepoint_is_not() -> None:
    assert savepoints.restore_options("file:/c/chk-7") == ["-s", "file:/c/chk-7", "-claimMode", "CLAIM"]
    assert savepoints.restore_options("s3://s/savepoint-1/")[-1] == "NO_CLAIM"
    assert savepoints.restore_options(None) == []
