"""A real change under load: upgraded, rescaled, rolled back, refused, gone back from; no alert is missing."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from account_alerts.config import PROJECT
from operations.flink.versions import PARTS
from tests.builders import Record, entry, setting, settings
from tests.pipeline.environment import Environment, wait
from tests.pipeline.harness import PipelineHarness
from tests.pipeline.scenario import Scenario
from tests.pipeline.test_restart import jobs  # noqa: F401

RATE = 200
"""A second; the machine also plans the versions."""
ACCOUNTS = 50


def changed(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """A clone of the project with some text exchanged: (file, old, new)."""
    for part in PARTS:
        shutil.copytree(PROJECT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in changes:
        text = (folder / name).read_text()
        assert old in text, f"{name} does not say {old!r}"
        (folder / name).write_text(text.replace(old, new))
    return folder


FEES = (
    "sql/alerting/raised_settings.sql",
    "  OR (amount_minor > threshold_minor AND alert_type = 'DEBITED_ABOVE'",
    "  OR (amount_minor > threshold_minor AND alert_type = 'FEE_ABOVE' AND MOD(amount_minor, 10) = 1)\n"
    "  OR (amount_minor > threshold_minor AND alert_type = 'DEBITED_ABOVE'",
)
KNOWN = (
    "account_alerts/model/alerts.py",
    '    BALANCE_ABOVE = "BALANCE_ABOVE"\n',
    '    FEE_ABOVE = "FEE_ABOVE"\n    BALANCE_ABOVE = "BALANCE_ABOVE"\n',
)
MARKED = ("udfs/alerts.py", "address), channel, address\n", 'address), channel, f"{address}#b"\n')
"""Version B's addresses show that its Python runs; its ids are those of version A."""
BROKEN = (
    "udfs/alerts.py",
    "    reachable = dict",
    '    raise RuntimeError("broken on purpose")\n    reachable = dict',
)
MISFIT = ("sql/alerting/usable_entries.sql", "AS countable,", "AS countable, CAST(NULL AS INT) AS more,")


@contextmanager
def load(scenario: Scenario, first: int = 0) -> Iterator[Callable[[], int]]:
    """Bookings, `RATE` a second, as long as the block lasts; gives the number so far, from `first` on."""
    count, stop = [first], threading.Event()

    def book() -> None:
        start = time.monotonic()
        while not stop.wait(max(0.0, start + (count[0] - first) / RATE - time.monotonic())):
            number = count[0]
            kind = {0: "FEE", 1: "CARD"}.get(number % 10, "TRANSFER")
            booking = entry(scenario.id(f"e{number}"), scenario.id(f"a{number % ACCOUNTS}"), entry_type=kind)
            scenario.write_booking({**booking, "amount_minor": 1001 if kind == "FEE" else 1000})
            count[0] += 1

    worker = threading.Thread(target=book)
    worker.start()
    try:
        yield lambda: count[0]
    finally:
        stop.set()
        worker.join()
        scenario.pipeline.flush()


def ask(scenario: Scenario, *more: Record) -> None:
    """Ask for an alert of each booking, and for more: settings without an account."""
    for number in range(ACCOUNTS):
        account, customer = scenario.id(f"a{number}"), scenario.id(f"c{number}")
        scenario.authorize(account, customer)
        wanted = [setting("s", account), *({**each, "account_id": account} for each in more)]
        scenario.write_settings(settings(customer, *wanted))
    scenario.await_effect()


def counts(setting_id: str, count: int) -> Record:
    """A setting that counts card bookings."""
    return setting(setting_id, alert_type="TRANSACTION_COUNT", count=count, window_minutes=60)


def _away(told: str) -> list[float]:
    """For how long the job was away, each time; the benchmark is not here, but a minute would be a fault."""
    found = [float(seconds) for seconds in re.findall(r"was away for ([\d.]+) s", told)]
    assert all(seconds < 60 for seconds in found), told
    return found


def _has_fee(record: Record) -> bool:
    """Whether the type that only version B knows is among the reasons."""
    return "FEE_ABOVE" in {reason["alert_type"] for reason in record["reasons"]}


def _all_there(scenario: Scenario, pipeline: PipelineHarness, count: int) -> None:
    """Every booking was alerted for the setting that all versions know, and repeats have equal ids."""
    wanted = {scenario.id(f"e{number}") for number in range(count)}
    seen: dict[str, set[str]] = {}

    def complete() -> bool:
        for each in pipeline.alerts:
            record = each.record
            if record["setting_id"] == "s" and record["entry_id"] in wanted:
                seen.setdefault(record["entry_id"], set()).add(record["alert_id"])
        return wanted == seen.keys()

    scenario.wait_for(complete, "an alert for every booking")
    assert all(len(ids) == 1 for ids in seen.values())


def test_upgraded_and_rolled_back_under_load(
    jobs: Environment,  # noqa: F811
    scenario: Scenario,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Version B knows one more alert type and has another make_alerts; it comes back after down and up."""
    version_b = changed(tmp_path / "b", FEES, KNOWN, MARKED)
    ask(scenario)
    with load(scenario) as count:
        told = jobs.alerts("upgrade", "alerting", "--code", str(version_b), progress=True)
        ask(scenario, setting("fee", alert_type="FEE_ABOVE"))
        first_fee = count()
        scenario.wait_for(
            lambda: any(_has_fee(each.record) for each in scenario.alerts()),
            "the new type",
        )
        scenario.pipeline.consume_until_time(time.monotonic() + 2)
        last_fee = count()
    jobs.alerts("down")
    jobs.alerts("up")
    after_up = count()
    with load(scenario, first=after_up) as count:
        scenario.wait_for(
            lambda: scenario.id(f"e{after_up}") in _marked(scenario), "version B after down and up"
        )
        told += jobs.alerts("rollback", "alerting", progress=True)
        back = count()
        scenario.pipeline.consume_until_time(time.monotonic() + 1)
    _all_there(scenario, scenario.pipeline, count())
    newer = {each.record["entry_id"] for each in scenario.alerts() if _has_fee(each.record)}
    fees = {scenario.id(f"e{number}") for number in range(first_fee, last_fee) if number % 10 == 0}
    assert fees, "no fees while version B ran"
    assert fees <= newer
    since = {scenario.id(f"e{number}") for number in range(back, count())}
    assert since, "no bookings since the rollback"
    assert not newer & since, "version B still runs"
    assert fees <= _marked(scenario)
    assert not _marked(scenario) & since
    away = _away(told)
    with capsys.disabled():
        print(f"\naway: {away}")
    assert len(away) == 2


def _marked(scenario: Scenario) -> set[str]:
    """The bookings that version B alerted."""
    return {each.record["entry_id"] for each in scenario.alerts() if each.record["address"].endswith("#b")}


def test_an_upgrade_that_is_killed_leaves_the_job_running(
    jobs: Environment,  # noqa: F811
    scenario: Scenario,
    tmp_path: Path,
) -> None:
    """Killed when the old version has been stopped: the reconciler brings it back from the savepoint."""
    ask(scenario)
    with load(scenario) as count:
        command = jobs.started("upgrade", "alerting", "--code", str(changed(tmp_path / "b", MARKED)))
        assert command.stderr is not None
        for line in command.stderr:
            if "stopping with a savepoint" in line:
                break
        wait(lambda: "alerting" not in jobs.jobs(), "the old version is stopped")
        command.kill()
        command.communicate()
        wait(lambda: "alerting" in jobs.jobs(), "some version runs")
        count()
    _all_there(scenario, scenario.pipeline, count())
    # Where the kill came late, the new version runs; the tests below begin with this project's.
    jobs.alerts("upgrade", "alerting")


def test_what_does_not_fit_is_refused_and_the_job_goes_on(
    jobs: Environment,  # noqa: F811
    tmp_path: Path,
) -> None:
    before = jobs.jobs()["alerting"]
    with pytest.raises(AssertionError, match="temporal-join: its state has other rows"):
        jobs.alerts("upgrade", "alerting", "--code", str(changed(tmp_path / "misfit", MISFIT)))
    assert jobs.jobs()["alerting"] == before


def test_a_version_that_fails_is_gone_back_from(
    jobs: Environment,  # noqa: F811
    scenario: Scenario,
    tmp_path: Path,
) -> None:
    ask(scenario)
    with load(scenario) as count:
        with pytest.raises(AssertionError, match="broken on purpose"):
            jobs.alerts("upgrade", "alerting", "--code", str(changed(tmp_path / "broken", BROKEN)))
        count()
    _all_there(scenario, scenario.pipeline, count())


def test_rescaled_under_load(
    jobs: Environment,  # noqa: F811
    scenario: Scenario,
) -> None:
    """By savepoints from two subtasks to three, more than partitions, and to one; rules change in between."""
    wanted, booked = [counts("n", 5)], 0
    ask(scenario, *wanted)
    try:
        for parallelism in (3, 1):
            with load(scenario, first=booked) as count:
                jobs.alerts("upgrade", "alerting", ALERTS_ALERTING__PARALLELISM=str(parallelism))
                assert jobs.parallelism("alerting", "temporal join") == parallelism
                scenario.pipeline.consume_until_time(time.monotonic() + 2)
            booked = count()
            wanted.append(counts(f"n{parallelism}", booked // ACCOUNTS + 10))
            ask(scenario, *wanted)
        with load(scenario, first=booked) as count:
            scenario.pipeline.consume_until_time(time.monotonic() + 6)
        expected = scenario.verify()
        assert len({alert.entry_id for alert in expected.certain}) == count()
        reasons = {reason[0] for alert in expected.certain for reason in alert.reasons}
        assert reasons == {"s", "n", "n3", "n1"}
    finally:
        jobs.alerts("upgrade", "alerting")
