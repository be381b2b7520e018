"""Starts with a backlog, a killed TaskManager, rules out of reach: nothing is missing, nothing is wrong."""

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from confluent_kafka import Producer

from account_alerts.config import PROJECT
from tests.builders import entry, setting, settings
from tests.pipeline.environment import MAX_WAIT_MS, Environment
from tests.pipeline.harness import PipelineHarness
from tests.pipeline.scenario import Scenario

JOBS = ("alerting",)
CUSTOMERS = 300
BACKLOG = 3000


@pytest.fixture
def jobs(environment: Environment, pipeline: PipelineHarness) -> Environment:
    """The environment with its job running, whatever a test before has left of it."""
    for job in sorted(set(JOBS) - environment.jobs().keys()):
        environment.alerts("submit", job)
    return environment


def _rules(scenario: Scenario, threshold: int = 0) -> None:
    for number in range(CUSTOMERS):
        account, customer = scenario.id(f"a{number}"), scenario.id(f"c{number}")
        scenario.authorize(account, customer)
        scenario.write_settings(settings(customer, setting("s", account, threshold_minor=threshold)))


def _bookings(scenario: Scenario, count: int = BACKLOG) -> None:
    for number in range(count):
        account = scenario.id(f"a{number % CUSTOMERS}")
        scenario.write_booking(entry(scenario.next_id(), account))
        if not number % 100:
            scenario.pipeline.poll(0)


@pytest.mark.parametrize("parallelism", [1, 4, 2])
def test_a_cold_start_with_rules_and_a_backlog(
    jobs: Environment, scenario: Scenario, parallelism: int
) -> None:
    """All that was ever written is read again: the rules as they were at each booking's time count.

    What the job had raised before comes again, with the same ids.
    """
    before = scenario.fork()
    _rules(before)
    before.await_effect()
    _bookings(before)
    before.verify()
    raised = {each.record["alert_id"] for each in before.alerts()}
    jobs.cancel(*JOBS)
    start = len(scenario.pipeline.alerts)
    _rules(scenario)
    scenario.await_effect()
    _bookings(scenario)
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
    jobs.alerts("submit", "alerting", "--stateless", ALERTS_ALERTING__PARALLELISM=str(parallelism))
    assert jobs.parallelism("alerting", "temporal join") == parallelism
    assert scenario.verify().certain

    def again() -> set[str]:
        return {each.record["alert_id"] for each in scenario.pipeline.alerts[start:]}

    assert raised
    scenario.wait_for(lambda: raised <= again(), "the same ids once more")
    before.verify()


def test_a_killed_task_manager_loses_nothing(jobs: Environment, scenario: Scenario) -> None:
    _rules(scenario)
    scenario.await_effect()
    start, killed = time.monotonic(), False
    for number in itertools.count():
        moment = start + number / 200
        if moment > start + 10:
            break
        scenario.pipeline.consume_until_time(moment)
        account = scenario.id(f"a{number % CUSTOMERS}")
        scenario.write_booking(entry(scenario.id(f"e{number}"), account))
        if not killed and number == 600:
            jobs.task_manager().kill()
            killed = True
    assert killed
    expected = scenario.verify()
    assert len(expected.certain) == number


def test_rules_that_do_not_get_on_hold_bookings_no_longer_than_max_wait(
    jobs: Environment, scenario: Scenario
) -> None:
    """A change whose transaction stays open: the newest known count, a little later."""
    _rules(scenario)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("before"), scenario.id("a0")))
    scenario.verify()
    properties = jobs.config.kafka.librdkafka() | {"transactional.id": scenario.id("open")}
    producer = Producer(properties)
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(scenario.pipeline.topics.settings, b"\xff", scenario.id("nobody").encode())
    assert producer.flush(60) == 0
    try:
        for number in range(20):
            scenario.write_booking(entry(scenario.id(f"without-{number}"), scenario.id(f"a{number}")))
        expected = scenario.verify()
        assert len(expected.certain) == 21
        assert max(scenario.latencies()) < MAX_WAIT_MS + 5_000
    finally:
        producer.abort_transaction(60)
    _rules(scenario, threshold=1)
    scenario.await_effect()
    scenario.write_booking(entry(scenario.id("after"), scenario.id("a1")))
    scenario.verify()
    (after,) = (each for each in scenario.alerts() if each.record["entry_id"] == scenario.id("after"))
    assert after.record["params"]["threshold_minor"] == "1"


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
