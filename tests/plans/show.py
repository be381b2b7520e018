"""Prints a job's plan and its operators with their ids: what the golden files hold.

python -m tests.plans.show alerting > tests/plans/alerting.txt
python -m tests.plans.show card_payment_abroad > tests/plans/card_payment_abroad.txt

The configuration is conf/local.yaml, or what ALERTS_CONFIG names.
"""

import importlib
import re
import sys
from functools import partial

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from account_alerts.config import load
from account_alerts.model import analyst_rule
from jobs import analyst_rule_job
from jobs.operator_ids import give_stable_ids
from jobs.runner import Build, prepare_process
from operations.analyst_rules import files

JOBS = ("alert_rules", "alerting", "analyst_alerts", "device_resolver", "reminders")
RULES = tuple(file.stem for file in files.shipped())
"""The analysts' rules that are shipped: each is a job, too."""


END = "\f"
"""Stands between the plans of several jobs."""


def show(job: str) -> str:
    """The optimized execution plan, and name, parallelism and id of every operator."""
    prepare_process()
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    statements = build_of(job)(table_env, load())
    plan = statements.explain().split("== Optimized Execution Plan ==")[1].strip()
    statements.attach_as_datastream()
    give_stable_ids(table_env)
    environment = table_env._j_tenv.execEnv()
    operators = sorted(
        _steady(f"{node.getTransformationUID()}  x{node.getParallelism()}  {node.getOperatorName()}")
        for node in environment.getStreamGraph().getStreamNodes().toArray()
    )
    return "\n".join([_steady(plan), "", "== Operators ==", *operators]) + "\n"


def build_of(job: str) -> Build:
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
    print(END.join(show(job) for job in sys.argv[1:]), end="")
