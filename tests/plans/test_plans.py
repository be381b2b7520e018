"""The plans are as they were when somebody last looked at them, and fit the last release's state.

A change is not wrong by itself: look at it, and renew the file with `python -m tests.plans.show JOB`.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from account_alerts.config import PROJECT
from operations.state_compatibility import incompatible
from tests.plans.show import JOBS, RULES

PRODUCTION = {
    "ALERTS_CONFIG": str(PROJECT / "conf/production.yaml"),
    "ALERTS_KAFKA__USERNAME": "alerts",
    "ALERTS_KAFKA__PASSWORD": "secret",
}


@cache
def plans(jobs: tuple[str, ...], production: bool = False) -> dict[str, dict[str, Any]]:
    """All from one process of their own: each would first have to load Flink."""
    shown = subprocess.run(
        [sys.executable, "-m", "tests.plans.show", "--json", *jobs],
        env={**os.environ, **(PRODUCTION if production else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert shown.returncode == 0, shown.stderr[-3000:]
    found: dict[str, dict[str, Any]] = json.loads(shown.stdout.splitlines()[-1])
    return found


def plan(job: str) -> str:
    return str(plans((*JOBS, *RULES))[job]["plan"])


@pytest.mark.parametrize("job", [*JOBS, *RULES])
def test_plan_is_the_golden_one(job: str) -> None:
    assert plan(job) == (Path(__file__).parent / f"{job}.txt").read_text()


@pytest.mark.parametrize("job", JOBS)
def test_state_of_the_last_release_fits(job: str) -> None:
    """A job goes on from a savepoint of the release whose operators are recorded.

    Where that must break, docs/operations/upgrades.md says how to begin anew; renew the file then.
    """
    recorded = json.loads((Path(__file__).parent / "operators" / f"{job}.json").read_text())
    assert incompatible(recorded, plans((*JOBS, *RULES))[job]["operators"]) == []


LOAD = """\
import sys
from base64 import b64decode
OTHERS = {others!r}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in OTHERS:
            raise ModuleNotFoundError(f"no TaskManager has {{name}}")
sys.meta_path.insert(0, Refuse())
import cloudpickle
for line in sys.stdin:
    cloudpickle.loads(b64decode(line))
print("loaded", *sorted({{name.partition(".")[0] for name in sys.modules}} & {{*OTHERS, "account_alerts"}}))
"""
"""Unpickles functions where only the kernel and what is installed can be imported."""


def test_a_job_carries_its_udfs_and_needs_the_kernel_only() -> None:
    """A TaskManager gets no code of this project but what is pickled: `flink run` uploads no Python files."""
    project = {folder.parent.name for folder in PROJECT.glob("*/__init__.py")} - {"account_alerts"}
    assert {"udfs", "jobs", "operations", "devenv", "delivery", "ingest"} <= project
    functions = {job: shown["functions"] for job, shown in plans((*JOBS, *RULES)).items()}
    assert all(functions[job] for job in JOBS)
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD.format(others=sorted(project))],
        input="".join(f"{function}\n" for each in functions.values() for function in each),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert loaded.stdout.split() == ["loaded", "account_alerts"], loaded.stderr[-3000:]


@pytest.mark.parametrize("job", ["alerting", "device_resolver"])
def test_production_can_be_planned(job: str) -> None:
    """With the registry's encoding, which is asked for nothing before the job runs."""
    assert "Sink(" in plans(("alerting", "device_resolver"), production=True)[job]["plan"]


def test_sources_join_python_and_sinks_run_once() -> None:
    steps, operators = plan("alerting").split("== Operators ==")
    assert len(re.findall(r"PythonCorrelate\(", steps)) == 1
    assert len(re.findall(r"Sink\(table=\[default_catalog.default_database.outbound_alerts\]", steps)) == 1
    assert len(re.findall(r"Sink\(table=\[default_catalog.default_database.dead_letters\]", steps)) == 1
    assert "Exchange(" not in steps, "bookings are moved once, to the temporal join"
    assert len(re.findall(r"Source: KafkaSource", operators)) == 3
    assert "ChangelogNormalize" not in steps, "a tombstone would lose its time"


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
    for stable in ("temporal-join", "read-account_entries", "read-setting_records", "write-outbound_alerts"):
        assert operators.count(f"\n{stable}  ") == 1
