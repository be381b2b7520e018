"""A real change under load: upgraded, rolled back, refused, and gone back from, with every alert there."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from account_alerts.config import PROJECT
from account_alerts.local.versions import PARTS
from tests.builders import entry, setting, settings
from tests.contract.chain import Case, Chain
from tests.contract.environment import Environment
from tests.contract.test_restart import jobs  # noqa: F401

RATE = 500
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
    "sql/rules/raised_amounts.sql",
    "    OR (e.amount_minor > r.threshold_minor AND r.alert_type = 'DEBITED_ABOVE'",
    "    OR (e.amount_minor > r.threshold_minor AND r.alert_type = 'FEE_ABOVE' AND e.entry_type = 'FEE')\n"
    "    OR (e.amount_minor > r.threshold_minor AND r.alert_type = 'DEBITED_ABOVE'",
)
KNOWN = ("udfs/settings.py", "AMOUNT_TYPES = frozenset({", 'AMOUNT_TYPES = frozenset({"FEE_ABOVE", ')
MARKED = (
    "udfs/make_alerts.py",
    "on_channel = [address for of, address in reachable if of == channel]",
    'on_channel = [address for of, address in reachable if of == channel and address != "old@example.com"]',
)
BROKEN = (
    "udfs/make_alerts.py",
    "    reachable = dict",
    '    raise RuntimeError("broken on purpose")\n    reachable = dict',
)
MISFIT = ("sql/tables/alert_rules.sql", "window_minutes  INT,", "window_minutes  BIGINT,")


@contextmanager
def load(case: Case) -> Iterator[Callable[[], int]]:
    """Bookings, `RATE` a second, as long as the block lasts; gives the number so far."""
    count, stop = [0], threading.Event()

    def book() -> None:
        start = time.monotonic()
        while not stop.wait(max(0.0, start + count[0] / RATE - time.monotonic())):
            number = count[0]
            kind = "FEE" if number % 10 == 0 else "TRANSFER"
            case.book(entry(case.id(f"e{number}"), case.id(f"a{number % ACCOUNTS}"), entry_type=kind))
            count[0] += 1

    worker = threading.Thread(target=book)
    worker.start()
    try:
        yield lambda: count[0]
    finally:
        stop.set()
        worker.join()
        case.chain.flush()


def _ask(case: Case, *more: str) -> None:
    for number in range(ACCOUNTS):
        account, customer = case.id(f"a{number}"), case.id(f"c{number}")
        case.authorize(account, customer)
        wanted = [setting("s", account), *(setting(kind, account, alert_type=kind) for kind in more)]
        case.ask(settings(customer, *wanted))
    case.settle()


def _away(told: str) -> float:
    found = re.search(r"was away for ([\d.]+) s", told)
    assert found, told
    return float(found[1])


def _all_there(case: Case, chain: Chain, count: int) -> None:
    """Every booking was alerted for the setting that all versions know, and repeats have equal ids."""
    wanted = {case.id(f"e{number}") for number in range(count)}
    seen: dict[str, set[str]] = {}

    def complete() -> bool:
        for each in chain.alerts:
            record = each.record
            if record["setting_id"] == "s" and record["entry_id"] in wanted:
                seen.setdefault(record["entry_id"], set()).add(record["alert_id"])
        return wanted == seen.keys()

    case.wait_for(complete, "an alert for every booking", timeout=120)
    assert all(len(ids) == 1 for ids in seen.values())


def test_upgraded_and_rolled_back_under_load(
    jobs: Environment,  # noqa: F811
    case: Case,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Version B knows one more alert type and has another make_alerts."""
    version_b = changed(tmp_path / "b", FEES, KNOWN, MARKED)
    _ask(case)
    with load(case) as count:
        told = jobs.alerts("upgrade", "alert-rules", "--code", str(version_b), progress=True)
        told += jobs.alerts("upgrade", "alerting", "--code", str(version_b), progress=True)
        _ask(case, "FEE_ABOVE")
        after = count()
        case.wait_for(
            lambda: any(each.record["alert_type"] == "FEE_ABOVE" for each in case.alerts()), "the new type"
        )
        told += jobs.alerts("rollback", "alerting", progress=True)
        told += jobs.alerts("rollback", "alert-rules", progress=True)
        back = count()
    _all_there(case, case.chain, count())
    assert after < back
    newer = [each for each in case.alerts() if each.record["alert_type"] == "FEE_ABOVE"]
    assert newer
    with capsys.disabled():
        print(f"\naway: {re.findall(r'(.*was away.*)', told)}")


def test_what_does_not_fit_is_refused_and_the_job_goes_on(
    jobs: Environment,  # noqa: F811
    tmp_path: Path,
) -> None:
    before = jobs.jobs()["alerting"]
    with pytest.raises(AssertionError, match="join-rules: its state has other rows"):
        jobs.alerts("upgrade", "alerting", "--code", str(changed(tmp_path / "misfit", MISFIT)))
    assert jobs.jobs()["alerting"] == before


def test_a_version_that_fails_is_gone_back_from(
    jobs: Environment,  # noqa: F811
    case: Case,
    tmp_path: Path,
) -> None:
    _ask(case)
    with load(case) as count:
        with pytest.raises(AssertionError, match="broken on purpose"):
            jobs.alerts("upgrade", "alerting", "--code", str(changed(tmp_path / "broken", BROKEN)))
        count()
    _all_there(case, case.chain, count())
