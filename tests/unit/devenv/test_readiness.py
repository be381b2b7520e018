"""`alerts up` waits until the rules have caught up, and says how far they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from account_alerts.config import load
from account_alerts.model.errors import OperationError
from account_alerts.service.clock import SYSTEM_CLOCK
from devenv import readiness
from operations import waiting
from operations.flink.rest import FlinkUnreachableError, Job
from tests.unit.operations.fakes import FakeFlink, job


@dataclass
class Joining(FakeFlink):
    """A JobManager that gives one watermark after another; an error is no answer."""

    marks: Iterator[int | Exception | None]
    asked: int = 0
    known: dict[str, Job] = field(default_factory=lambda: {"a": job("a", "alerting")})
    failures: dict[str, str] = field(default_factory=dict)

    def watermark(self, job_id: str, operator: str) -> int | None:
        self.asked += 1
        found = next(self.marks)
        if isinstance(found, Exception):
            raise found
        return found

    def total(self, job_id: str, metric: str, operator: str = "") -> int | None:
        return 20_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_INTERVAL", 0)
    monkeypatch.setattr(readiness, "_REPORT_SECONDS", -1)


def _wait(flink: Joining, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "FlinkRest", lambda url: flink)
    readiness.wait_for_rules(load())


def test_rules_are_awaited_until_they_are_known_up_to_now(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = SYSTEM_CLOCK.now_ms()
    flink = Joining(iter([None, FlinkUnreachableError("busy"), now - 1, now + 3_600_000]))
    _wait(flink, monkeypatch)
    assert flink.asked == 4
    assert (
        "rules: 40,000 records of authorizations and settings are still to be read" in capsys.readouterr().err
    )


def test_a_job_that_failed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    flink = Joining(iter([]))
    flink.failures["a"] = "java.lang.OutOfMemoryError"
    flink.end("a", "FAILED")
    with pytest.raises(OperationError, match=r"alerting: FAILED. java.lang.OutOfMemoryError"):
        _wait(flink, monkeypatch)


def test_rules_that_do_not_get_on_name_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_RULES_SECONDS", 0)
    with pytest.raises(
        OperationError, match=r"rules caught up: not within 0 s.*runbook.md, 'The rules are stale'"
    ):
        _wait(Joining(iter([None] * 9)), monkeypatch)
