"""The tables and rules of sql/, filled in from the configuration; used by every job."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cloudpickle
import psutil
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment

import udfs
from account_alerts.config import Config, ConfigError, load
from account_alerts.installation import flink_environment
from account_alerts.model import alerts
from account_alerts.records import customers, settings
from jobs.operator_ids import give_stable_ids, operators
from jobs.options import _on_cluster

CARRIED = (udfs, alerts, customers, settings)
"""Packages and modules that a job carries with it by value; none may use `functools.cache`."""
Build = Callable[[StreamTableEnvironment, Config], StatementSet]
"""Makes a job in a table environment."""


def run(builds: Sequence[Build], description: str | None, given: Sequence[str] | None = None) -> None:
    """A job's command line: submits it, or runs it in this process until it is stopped, or explains it.

    Args:
        builds: The jobs.
        description: What `--help` says of them.
        given: The arguments, where not all of the command line's are for this.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--config", type=Path, help="the environment's YAML file (default: conf/local.yaml)")
    parser.add_argument("--explain", action="store_true", help="print the plan and run nothing")
    parser.add_argument(
        "--operators", type=Path, metavar="FOLDER", help="write there which operators hold state: JOB.json"
    )
    parser.add_argument(
        "--savepoint-in",
        type=Path,
        metavar="FILE",
        help="be ready, wait until this file says so, and go on from the savepoint it names (JSON)",
    )
    parser.add_argument("--asked-by", type=int, metavar="PID", help="wait only as long as this process lives")
    arguments = parser.parse_args(given)
    if not builds:
        parser.error("no job was named")
    try:
        config = load(arguments.config)
    except ConfigError as error:
        parser.error(str(error))
    prepare_process()
    # A job carries its Python with it: a TaskManager that runs several versions imports a module once only.
    for carried in CARRIED:
        cloudpickle.register_pickle_by_value(carried)
    for build in builds:
        env = StreamExecutionEnvironment.get_execution_environment()
        table_env = StreamTableEnvironment.create(env)
        job = build(table_env, config)
        if arguments.explain:
            print(job.explain())
            if not arguments.operators:
                continue
        job.attach_as_datastream()
        give_stable_ids(table_env)
        name = table_env.get_config().get("pipeline.name", "alerts")
        if arguments.operators:
            _write(arguments.operators / f"{name}.json", json.dumps(operators(table_env), indent=1))
        if arguments.explain:
            continue
        if arguments.savepoint_in:
            _go_on_from(env, arguments.savepoint_in, arguments.asked_by)
        env.execute(name)


def prepare_process() -> None:
    """Outside of ``flink run``: let this process find the installed Java, Flink and jars."""
    if not _on_cluster():
        os.environ.update(flink_environment())


def _go_on_from(env: StreamExecutionEnvironment, file: Path, asked_by: int | None) -> None:
    """Wait until a file names a savepoint, and start from that: all else is ready by then."""
    client = os.getppid()
    while not file.exists():
        if os.getppid() != client or (asked_by and not psutil.pid_exists(asked_by)):
            sys.exit("who asked for it is gone")
        time.sleep(0.02)
    said = json.loads(file.read_text())
    settings = env._j_stream_execution_environment.getConfiguration()
    settings.setString("execution.state-recovery.path", said["savepoint"])
    settings.setString("execution.state-recovery.ignore-unclaimed-state", str(said["drop"]).lower())


def _write(file: Path, text: str) -> None:
    """Write a file that another process waits for: it is there when it is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    temporary.write_text(text)
    temporary.rename(file)
