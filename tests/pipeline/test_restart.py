"""Starts with a backlog, a killed TaskManager, rules out of reach: nothing is missing, nothing is wrong."""

import itertools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from account_alerts.config import PROJECT
from account_alerts.records.codec import Codec
from tests.builders import entry, setting, settings
from tests.pipeline.environment import MAX_WAIT_MS, Environment
from tests.pipeline.harness import PipelineHarness
from tests.pipeline.scenario import Scenario
from udfs.alert_rules.account_rules import AccountRules

JOBS = ("alert-rules", "alerting")
CUSTOMERS = 300
BACKLOG = 3000


@pytest.fixture
def jobs(environment: Environment, pipeline: PipelineHarness) -> Environment:
    """The environment with both jobs running, whatever a test before has left of it."""
    for job in sorted(set(JOBS) - environment.jobs().keys()):
        environment.alerts("submit", job)
    return environment


def _rules(scenario: Scenario, threshold: int = 0) -> None:
    for number in range(CUSTOMERS):
        account, customer = scenario.id(f"a{number}"), scenario.id(f"c{number}")
        scenario.authorize(account, customer)
        scenario.write_settings(settings(customer, setting("s", account, threshold_minor=threshold)))


def _wishes(scenario: Scenario) -> dict[str, Any]:
    wished = settings(scenario.id("c0"), setting("s", threshold_minor=0))
    return {name: wished[name] for name in ("language", "addresses", "settings")}


def _bookings(scenario: Scenario, count: int = BACKLOG) -> None:
    for number in range(count):
        account = scenario.id(f"a{number % CUSTOMERS}")
        scenario.write_booking(entry(scenario.next_id(), account))
        if not number % 100:
            scenario.pipeline.poll(0)


@pytest.mark.parametrize(
    ("parallelism", "time_of"), [(1, "first"), (2, "first"), (4, "first"), (1, "second")]
)
def test_a_cold_start_with_rules_and_a_backlog(
    jobs: Environment, scenario: Scenario, parallelism: int, time_of: str
) -> None:
    """All that was ever written is read again: the rules as they were at each booking's time count."""
    jobs.cancel(*JOBS)
    _rules(scenario)
    scenario.await_effect()
    _bookings(scenario)
    scenario.pipeline.flush()
    # Mid-stream: others are asked for, some authorizations go, bookings follow before and after they count.
    _rules(scenario, threshold=1)
    for number in range(0, CUSTOMERS, 7):
        scenario.authorize(scenario.id(f"a{number}"))
    _bookings(scenario, 300)
    scenario.await_effect()
    _bookings(scenario)
    for number in range(0, CUSTOMERS, 5):
        scenario.delete_settings(scenario.id(f"c{number}"))
    scenario.await_effect()
    _bookings(scenario, 300)
    scenario.pipeline.flush()
    jobs.alerts("submit", "all", "--stateless", ALERTS_ALERTING__PARALLELISM=str(parallelism))
    assert jobs.parallelism("alerting", "TemporalJoin") == parallelism
    assert scenario.verify().certain


def test_a_replay_gives_the_same_alerts_with_the_same_ids(jobs: Environment, scenario: Scenario) -> None:
    _rules(scenario)
    scenario.await_effect()
    _bookings(scenario)
    scenario.verify()
    first = {each.record["alert_id"] for each in scenario.alerts()}
    jobs.cancel("alerting")
    start = len(scenario.pipeline.alerts)
    jobs.alerts("submit", "alerting", "--stateless")

    def again() -> set[str]:
        return {each.record["alert_id"] for each in scenario.pipeline.alerts[start:]}

    scenario.wait_for(lambda: first <= again(), "the same ids once more")
    scenario.verify()


def test_a_killed_task_manager_loses_nothing(jobs: Environment, scenario: Scenario) -> None:
    _rules(scenario)
    scenario.await_effect()
    start, killed = time.monotonic(), False
    for number in itertools.count():
        moment = start + number / 200
        if moment > start + 15:
            break
        scenario.pipeline.consume_until_time(moment)
        account = scenario.id(f"a{number % CUSTOMERS}")
        scenario.write_booking(entry(scenario.id(f"e{number}"), account))
        if not killed and number == 1000:
            jobs.task_manager().kill()
            killed = True
    assert killed
    expected = scenario.verify()
    assert len(expected.certain) == number


def test_rules_out_of_reach_hold_bookings_no_longer_than_max_wait(
    jobs: Environment, scenario: Scenario
) -> None:
    """Without the job that says how far the rules are known, the newest known count, a little later."""
    _rules(scenario)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("before"), scenario.id("a0")))
    scenario.verify()
    jobs.cancel("alert-rules")
    try:
        for number in range(20):
            scenario.write_booking(entry(scenario.id(f"without-{number}"), scenario.id(f"a{number}")))
        expected = scenario.verify()
        assert len(expected.certain) == 21
        assert max(scenario.latencies()) < MAX_WAIT_MS + 5_000
    finally:
        jobs.alerts("submit", "alert-rules")
    _rules(scenario, threshold=1)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("after"), scenario.id("a1")))
    scenario.verify()
    (after,) = (each for each in scenario.alerts() if each.record["entry_id"] == scenario.id("after"))
    assert after.record["params"]["threshold_minor"] == "1"


def test_rules_made_anew_take_none_away_and_leave_none_behind(jobs: Environment, scenario: Scenario) -> None:
    """The job that makes the rules starts without its state while bookings go on to be alerted."""
    _rules(scenario)
    scenario.await_effect()
    _bookings(scenario)
    scenario.verify()
    jobs.cancel("alert-rules")
    # A rule nothing is left of in the topics it was made of, as after a long absence and compaction.
    stale = scenario.id("stale")
    rules = AccountRules()
    rules.authorize(1, [scenario.id("c0")])
    rules.set_settings(1, scenario.id("c0"), _wishes(scenario))
    row = {"known_until": 1, "version": 1, "rules": rules.rules()}
    topic = jobs.config.topics.alert_rules.name
    scenario.pipeline.produce(topic, stale.encode(), Codec().encode("AlertRules", row, topic), [])
    with ThreadPoolExecutor() as executor:
        submitted = executor.submit(jobs.alerts, "submit", "alert-rules", "--stateless")
        start = time.monotonic()
        for number in itertools.count():
            if submitted.done():
                break
            scenario.pipeline.consume_until_time(start + number / 100)
            scenario.write_booking(entry(scenario.next_id(), scenario.id(f"a{number % CUSTOMERS}")))
        submitted.result()
    jobs.alerts("up")  # It waits until the rules have caught up.
    scenario.write_booking(entry(scenario.id("on-stale"), stale))
    scenario.verify()


def test_the_alerting_job_runs_in_a_process_of_its_own(jobs: Environment, scenario: Scenario) -> None:
    """`python jobs/alerting_job.py`: the same job without a cluster."""
    _rules(scenario)
    scenario.await_effect()
    jobs.cancel("alerting")
    log = jobs.file.parent / "in-process.log"
    with log.open("w") as output:
        command = [sys.executable, str(PROJECT / "jobs/alerting_job.py"), "--config", str(jobs.file)]
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            for number in range(20):
                scenario.write_booking(entry(scenario.id(f"e{number}"), scenario.id(f"a{number}")))
            expected = scenario.verify()
            assert process.poll() is None, log.read_text()[-2000:]
            assert len(expected.certain) == 20
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            jobs.alerts("submit", "alerting")
