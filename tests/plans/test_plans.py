"""The plans are as they were when somebody last looked at them.

A change is not wrong by itself: look at it, and renew the file with `python -m tests.plans.show JOB`.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from account_alerts.config import PROJECT
from tests.plans.show import END, JOBS, RULES

PRODUCTION = {
    "ALERTS_CONFIG": str(PROJECT / "conf/production.yaml"),
    "ALERTS_KAFKA__USERNAME": "alerts",
    "ALERTS_KAFKA__PASSWORD": "secret",
}


@cache
def plans(jobs: tuple[str, ...], production: bool = False) -> dict[str, str]:
    """All from one process of their own: each would first have to load Flink."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.plans.show", *jobs],
        env={**os.environ, **(PRODUCTION if production else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert shown.returncode == 0, shown.stderr[-3000:]
    return dict(zip(jobs, shown.stdout.split(END), strict=True))


def plan(job: str) -> str:
    return plans((*JOBS, *RULES))[job]


@pytest.mark.parametrize("job", [*JOBS, *RULES])
def test_plan_is_the_golden_one(job: str) -> None:
    assert plan(job) == (Path(__file__).parent / f"{job}.txt").read_text()


@pytest.mark.parametrize("job", ["alert_rules", "alerting", "device_resolver"])
def test_production_can_be_planned(job: str) -> None:
    """With the registry's encoding, which is asked for nothing before the job runs."""
    assert "Sink(" in plans(("alert_rules", "alerting", "device_resolver"), production=True)[job]


def test_join_python_and_sink_run_once() -> None:
    steps = plan("alerting").split("== Operators ==")[0]
    assert len(re.findall(r"TemporalJoin\(", steps)) == 1
    assert len(re.findall(r"PythonCorrelate\(", steps)) == 1
    assert len(re.findall(r"Sink\(table=\[default_catalog.default_database.outbound_alerts\]", steps)) == 1
    assert "ChangelogNormalize" not in steps, "the rules would be kept twice"
    assert len(re.findall(r"ProcessTableFunction\(", steps)) == 1
    assert len(re.findall(r"Exchange\(", steps)) == 3, "one shuffle of each side, and one of what is counted"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reads_and_writes_once_and_remembers_only_what_it_must(rule: str) -> None:
    steps = plan(rule).split("== Operators ==")[0]
    assert len(re.findall(r"TableSourceScan\(", steps)) == 1
    assert len(re.findall(r"Sink\(", steps)) == 1
    remembers = rule == "new_counterparty"
    assert len(re.findall(r"Exchange\(", steps)) == remembers
    assert len(re.findall(r"Deduplicate\(", steps)) == remembers
    assert not re.findall(r"Join\(|Rank\(|Aggregate\(", steps)


def test_what_holds_state_has_a_name_of_its_own() -> None:
    operators = plan("alerting").split("== Operators ==")[1]
    for stable in ("join-rules", "read-account_entries", "read-alert_rules", "write-outbound_alerts"):
        assert operators.count(f"\n{stable}  ") == 1
