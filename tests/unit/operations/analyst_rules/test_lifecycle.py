"""Starting, pausing, resuming and stopping rules, with a JobManager and a registry in memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule, RuleError
from account_alerts.model.errors import OperationError
from account_alerts.service.clock import SYSTEM_CLOCK
from operations.analyst_rules import lifecycle, quarantine, registry
from operations.analyst_rules.registry import Registry, Started
from operations.flink.run import RunFolder
from operations.job_store import DesiredState, UpgradeMode
from tests.unit.operations.fakes import FakeFlink, FakeRunner, job

RULE = Rule("salary", "SELECT 1", "A salary.", 100)
OVER = Started.begin(RULE, 1_000)


class FakeTopic:
    """The registry's topic, and quarantined alerts by rule."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry = Registry()
        self.quarantined: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        fakes: dict[str, Callable[..., object]] = {
            "read": lambda config: replace(
                self.registry, started=dict(self.registry.started), paused=dict(self.registry.paused)
            ),
            "start": lambda config, started: self.registry.started.update({started.name: started}),
            "stop": self._stop,
            "pause": lambda config, name, state: self.registry.paused.update({name: state}),
            "resume": lambda config, name: self.registry.paused.pop(name, None),
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(registry, name, fake)
        monkeypatch.setattr(quarantine, "send", self._send)
        monkeypatch.setattr(quarantine, "discard", lambda config, name: self.quarantined.pop(name, 0))

    def _stop(self, config: Config, name: str) -> None:
        self.registry.started.pop(name, None)
        self.registry.paused.pop(name, None)

    def _send(self, config: Config, name: str) -> int:
        self.sent[name] = self.quarantined.pop(name, 0)
        return self.sent[name]


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> FakeTopic:
    return FakeTopic(monkeypatch)


@pytest.fixture(params=[True, False], ids=["laptop", "cluster"])
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> FakeRunner:
    folder = RunFolder(tmp_path)
    folder.make()
    return FakeRunner(FakeFlink(), folder, reconciles=request.param)


def start(runner: FakeRunner, topic: FakeTopic) -> Started:
    lifecycle.start(runner, [RULE])
    return topic.registry.started["salary"]


def pause(runner: FakeRunner) -> bool:
    return lifecycle.pause(runner, "salary", lambda known: "salary" in known.started)


def test_a_rule_is_started_with_the_job_it_needs(runner: FakeRunner, topic: FakeTopic) -> None:
    started = start(runner, topic)
    assert {job.name for job in runner.flink.jobs()} == {"adhoc-alerts", "rule-salary"}
    mode = {name: mode for name, mode, _ in runner.submitted}["adhoc-alerts"]
    assert mode == (UpgradeMode.LAST_STATE if runner.reconciles else UpgradeMode.STATELESS)
    file = runner.rules["rule-salary"]
    assert file.read_text() == "SELECT 1"
    options = runner.store.read("rule-salary").options
    assert options == ["--rule", str(file), "--since", str(started.since)]


def test_a_rule_is_not_started_twice(runner: FakeRunner, topic: FakeTopic) -> None:
    start(runner, topic)
    with pytest.raises(RuleError, match=r"salary: is started already\. `alerts rules stop salary`"):
        lifecycle.start(runner, [RULE])


def test_room_is_needed_where_the_slots_are_fixed(runner: FakeRunner, topic: FakeTopic) -> None:
    runner.flink.slots_free = 0
    if not runner.reconciles:
        assert start(runner, topic).name == "salary"
        return
    with pytest.raises(RuleError, match="slots are needed and 0 are free"):
        lifecycle.start(runner, [RULE])
    assert topic.registry.started == {}


def test_a_rule_that_does_not_come_up_is_not_started(
    runner: FakeRunner, topic: FakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OperationError("cannot be submitted")

    monkeypatch.setattr(runner, "submit_rules", fails)
    with pytest.raises(OperationError, match="cannot be submitted"):
        lifecycle.start(runner, [RULE])
    assert topic.registry.started == {}
    assert runner.store.read("rule-salary").state == DesiredState.SUSPENDED


def test_stopped_it_is_cancelled_and_not_brought_back(runner: FakeRunner, topic: FakeTopic) -> None:
    start(runner, topic)
    lifecycle.stop(runner, "salary")
    assert topic.registry.started == {}
    assert not any(job.live for job in runner.flink.jobs() if job.name == "rule-salary")
    assert runner.store.read("rule-salary").state == DesiredState.SUSPENDED
    with pytest.raises(RuleError, match="salary: is not started"):
        lifecycle.stop(runner, "salary")


def test_over_its_limit_it_is_paused_with_a_savepoint(runner: FakeRunner, topic: FakeTopic) -> None:
    start(runner, topic)
    job_id = runner.flink.live("rule-salary")
    assert pause(runner)
    assert topic.registry.paused == {"salary": f"s3://s/savepoint-{job_id}"}
    assert runner.flink.known[job_id].state == "FINISHED"
    assert runner.store.read("rule-salary").state == DesiredState.SUSPENDED
    assert not lifecycle.pause(runner, "salary", lambda known: False)


def test_resumed_it_goes_on_from_there_and_its_alerts_are_sent(runner: FakeRunner, topic: FakeTopic) -> None:
    started = start(runner, topic)
    pause(runner)
    topic.quarantined["salary"] = 5
    assert lifecycle.resume(runner, "salary") == 5
    assert topic.sent == {"salary": 5}
    now = runner.flink.live("rule-salary")
    assert str(runner.flink.restored[now]).startswith("s3://s/savepoint-rule-salary")
    assert topic.registry.paused == {}
    assert topic.registry.started["salary"] == started


def test_discarded_what_came_meanwhile_is_given_up_too(
    runner: FakeRunner, topic: FakeTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = start(runner, topic)
    pause(runner)
    topic.quarantined["salary"] = 5
    monkeypatch.setattr(SYSTEM_CLOCK, "now_ms", lambda: started.since + 60_000)
    assert lifecycle.discard(runner, "salary") == 5
    assert topic.sent == {}
    since = topic.registry.started["salary"].since
    assert since == started.since + 60_000
    assert runner.store.read("rule-salary").options[-1] == str(since)
    assert runner.flink.live("rule-salary")


def test_paused_without_state_it_begins_anew(runner: FakeRunner, topic: FakeTopic) -> None:
    topic.registry.started["salary"], topic.registry.paused["salary"] = OVER, None
    lifecycle.resume(runner, "salary")
    assert runner.submitted[-1] == ("rule-salary", UpgradeMode.STATELESS, None)


def test_an_end_that_nobody_noted_is_found_on_a_cluster(runner: FakeRunner, topic: FakeTopic) -> None:
    topic.registry.started["salary"] = replace(OVER, since=0)
    runner.flink.known["r1"] = job("r1", "rule-salary", "FINISHED")
    # On the laptop the reconciler brings such a job back.
    assert pause(runner) is not runner.reconciles
    assert topic.registry.paused == ({} if runner.reconciles else {"salary": "s3://s/savepoint-r1"})


def test_an_end_of_an_earlier_start_is_none(runner: FakeRunner, topic: FakeTopic) -> None:
    topic.registry.started["salary"] = OVER
    runner.flink.known["r1"] = job("r1", "rule-salary", "FINISHED")  # Started at 0.
    assert not pause(runner)


def test_with_the_environment_started_rules_come_back_but_paused_ones(
    runner: FakeRunner, topic: FakeTopic
) -> None:
    other = replace(OVER, name="other")
    topic.registry.started.update({"salary": OVER, "other": other})
    topic.registry.paused["other"] = None
    lifecycle.bring_up(runner)
    assert [name for name, *_ in runner.submitted] == ["adhoc-alerts", "rule-salary"]
    lifecycle.bring_up(runner)
    assert len(runner.submitted) == 2
