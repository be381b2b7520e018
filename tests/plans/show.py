"""Prints a job's plan and its operators with their ids: what the golden files hold.

python -m tests.plans.show alerting > tests/plans/alerting.txt
python -m tests.plans.show card_payment_abroad > tests/plans/card_payment_abroad.txt
python -m tests.plans.show --state alerting > tests/plans/operators/alerting.json     after a release

The configuration is conf/local.yaml, or what ALERTS_CONFIG names.
"""

import argparse
import importlib
import json
import re
from base64 import b64encode
from dataclasses import asdict, dataclass
from functools import partial
from unittest.mock import patch

import cloudpickle
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from account_alerts.config import load
from account_alerts.model import analyst_rule
from jobs import analyst_rule_job
from jobs.operator_ids import give_stable_ids, operators
from jobs.runner import Build, carry_code, prepare_process
from operations.analyst_rules import files

JOBS = ("alerting", "analyst_alerts", "device_resolver", "reminders")
RULES = tuple(file.stem for file in files.shipped())
"""The analysts' rules that are shipped: each is a job, too."""


@dataclass
class Shown:
    """What the tests look at."""

    plan: str
    """The optimized execution plan with every operator."""
    operators: dict[str, list[str]]
    """Which operators hold state."""
    functions: list[str]
    """The Python functions that go to the cluster with the job, pickled, in base 64."""


def show(job: str) -> Shown:
    """Plan a job as `flink run` does."""
    prepare_process()
    carry_code()
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    pickled: list[bytes] = []
    dumps = cloudpickle.dumps

    def keep(value: object) -> bytes:
        pickled.append(dumps(value))
        return pickled[-1]

    with patch("cloudpickle.dumps", keep):
        statements = find_build(job)(table_env, load())
        plan = statements.explain().split("== Optimized Execution Plan ==")[1].strip()
        statements.attach_as_datastream()
    give_stable_ids(table_env)
    stateful = operators(table_env)
    environment = table_env._j_tenv.execEnv()
    listed = sorted(
        _steady(f"{node.getTransformationUID()}  x{node.getParallelism()}  {node.getOperatorName()}")
        for node in environment.getStreamGraph().getStreamNodes().toArray()
    )
    return Shown(
        "\n".join([_steady(plan), "", "== Operators ==", *listed]) + "\n",
        stateful,
        [b64encode(each).decode() for each in pickled],
    )


def find_build(job: str) -> Build:
    """What makes the job; a rule's is as if it were started at the beginning of time."""
    if job in RULES:
        rule = analyst_rule.read(files.find(job))
        return partial(analyst_rule_job.build, rule=rule, since=rule.history)
    build: Build = importlib.import_module(f"jobs.{job}_job").build
    return build


def _steady(text: str) -> str:
    """Leave out what changes from run to run, and the long list of currencies."""
    text = re.sub(r"^\d+_[a-z-]+  |(?<=\w)\[\d+\]", "", text, flags=re.MULTILINE)
    text = re.sub(r"anonymous_datastream_source\$\d+", "anonymous_datastream_source", text)
    return re.sub(r"Sarg\[\(-∞\.\.(_UTF-16LE)?'AED'\).*?\+∞\)\]", "Sarg[ISO 4217]", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("jobs", nargs="+", choices=[*JOBS, *RULES])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--state", action="store_true", help="print which operators hold state")
    what.add_argument("--json", action="store_true", help="print everything, by job")
    arguments = parser.parse_args()
    shown = {job: show(job) for job in arguments.jobs}
    if arguments.json:
        print(json.dumps({job: asdict(each) for job, each in shown.items()}))
    else:
        for each in shown.values():
            print(json.dumps(each.operators, indent=1) if arguments.state else each.plan.rstrip("\n"))
