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
from tests.pipeline.chain import Case, Chain
from tests.pipeline.environment import MAX_WAIT_MS, Environment
from udfs.alert_rules.account_rules import AccountRules

JOBS = ("alert-rules", "alerting")
CUSTOMERS = 300
BACKLOG = 3000


@pytest.fixture
def jobs(environment: Environment, chain: Chain) -> Environment:
    """The environment with both jobs running, whatever a test before has left of it."""
    for job in sorted(set(JOBS) - environment.jobs().keys()):
        environment.alerts("submit", job)
    return environment


def _rules(case: Case, threshold: int = 0) -> None:
    for number in range(CUSTOMERS):
        account, customer = case.id(f"a{number}"), case.id(f"c{number}")
        case.authorize(account, customer)
        case.ask(settings(customer, setting("s", account, threshold_minor=threshold)))


def _wishes(case: Case) -> dict[str, Any]:
    wished = settings(case.id("c0"), setting("s", threshold_minor=0))
    return {name: wished[name] for name in ("language", "addresses", "settings")}


def _bookings(case: Case, count: int = BACKLOG) -> None:
    for number in range(count):
        account = case.id(f"a{number % CUSTOMERS}")
        case.book(entry(case.next_id(), account))
        if not number % 100:
            case.chain.poll(0)


@pytest.mark.parametrize(
    ("parallelism", "time_of"), [(1, "first"), (2, "first"), (4, "first"), (1, "second")]
)
def test_a_cold_start_with_rules_and_a_backlog(
    jobs: Environment, case: Case, parallelism: int, time_of: str
) -> None:
    """All that was ever written is read again: the rules as they were at each booking's time count."""
    jobs.cancel(*JOBS)
    _rules(case)
    case.settle()
    _bookings(case)
    case.chain.flush()
    # Mid-stream: others are asked for, some authorizations go, bookings follow before and after they count.
    _rules(case, threshold=1)
    for number in range(0, CUSTOMERS, 7):
        case.authorize(case.id(f"a{number}"))
    _bookings(case, 300)
    case.settle()
    _bookings(case)
    for number in range(0, CUSTOMERS, 5):
        case.forget(case.id(f"c{number}"))
    case.settle()
    _bookings(case, 300)
    case.chain.flush()
    jobs.alerts("submit", "all", "--from-nothing", ALERTS_ALERTING__PARALLELISM=str(parallelism))
    assert jobs.parallelism("alerting", "TemporalJoin") == parallelism
    assert case.verify(timeout=120).certain


def test_a_replay_gives_the_same_alerts_with_the_same_ids(jobs: Environment, case: Case) -> None:
    _rules(case)
    case.settle()
    _bookings(case)
    case.verify()
    first = {each.record["alert_id"] for each in case.alerts()}
    jobs.cancel("alerting")
    start = len(case.chain.alerts)
    jobs.alerts("submit", "alerting", "--from-nothing")

    def again() -> set[str]:
        return {each.record["alert_id"] for each in case.chain.alerts[start:]}

    case.wait_for(lambda: first <= again(), "the same ids once more", timeout=120)
    case.verify()


def test_a_killed_task_manager_loses_nothing(jobs: Environment, case: Case) -> None:
    _rules(case)
    case.settle()
    start, killed = time.monotonic(), False
    for number in itertools.count():
        moment = start + number / 200
        if moment > start + 15:
            break
        case.chain.pause(moment)
        account = case.id(f"a{number % CUSTOMERS}")
        case.book(entry(case.id(f"e{number}"), account))
        if not killed and number == 1000:
            jobs.task_manager().kill()
            killed = True
    assert killed
    expected = case.verify(timeout=120)
    assert len(expected.certain) == number


def test_rules_out_of_reach_hold_bookings_no_longer_than_max_wait(jobs: Environment, case: Case) -> None:
    """Without the job that says how far the rules are known, the newest known count, a little later."""
    _rules(case)
    case.settle()
    case.book(entry(case.id("before"), case.id("a0")))
    case.verify()
    jobs.cancel("alert-rules")
    try:
        for number in range(20):
            case.book(entry(case.id(f"without-{number}"), case.id(f"a{number}")))
        expected = case.verify(timeout=MAX_WAIT_MS / 1000 * 3 + 20)
        assert len(expected.certain) == 21
        assert max(case.latencies()) < MAX_WAIT_MS + 2000
    finally:
        jobs.alerts("submit", "alert-rules")
    _rules(case, threshold=1)
    case.settle()
    case.book(entry(case.id("after"), case.id("a1")))
    case.verify()
    (after,) = (each for each in case.alerts() if each.record["entry_id"] == case.id("after"))
    assert after.record["params"]["threshold_minor"] == "1"


def test_rules_made_anew_take_none_away_and_leave_none_behind(jobs: Environment, case: Case) -> None:
    """The job that makes the rules starts without its state while bookings go on to be alerted."""
    _rules(case)
    case.settle()
    _bookings(case)
    case.verify()
    jobs.cancel("alert-rules")
    # A rule nothing is left of in the topics it was made of, as after a long absence and compaction.
    stale = case.id("stale")
    rules = AccountRules()
    rules.authorize(1, [case.id("c0")])
    rules.wish(1, case.id("c0"), _wishes(case))
    row = {"known_until": 1, "version": 1, "rules": rules.rules()}
    topic = jobs.config.topics.alert_rules.name
    case.chain.put(topic, stale.encode(), Codec().encode("AlertRules", row, topic), [])
    with ThreadPoolExecutor() as executor:
        submitted = executor.submit(jobs.alerts, "submit", "alert-rules", "--from-nothing")
        start = time.monotonic()
        for number in itertools.count():
            if submitted.done():
                break
            case.chain.pause(start + number / 100)
            case.book(entry(case.next_id(), case.id(f"a{number % CUSTOMERS}")))
        submitted.result()
    jobs.alerts("up")  # It waits until the rules have caught up.
    case.book(entry(case.id("on-stale"), stale))
    case.verify()


def test_the_alerting_job_runs_in_a_process_of_its_own(jobs: Environment, case: Case) -> None:
    """`python jobs/alerting_job.py`: the same job without a cluster."""
    _rules(case)
    case.settle()
    jobs.cancel("alerting")
    log = jobs.file.parent / "in-process.log"
    with log.open("w") as output:
        command = [sys.executable, str(PROJECT / "jobs/alerting_job.py"), "--config", str(jobs.file)]
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        try:
            for number in range(20):
                case.book(entry(case.id(f"e{number}"), case.id(f"a{number}")))
            expected = case.verify(timeout=180)
            assert process.poll() is None, log.read_text()[-2000:]
            assert len(expected.certain) == 20
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            jobs.alerts("submit", "alerting")
