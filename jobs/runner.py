"""The command line of every job's file: submit, run in this process, or explain."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

import cloudpickle
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment

import udfs
from account_alerts.config import Config, ConfigError, load
from account_alerts.installation import flink_environment
from account_alerts.model import alerts
from account_alerts.records import customers, settings
from jobs.operator_ids import give_stable_ids, operators
from jobs.options import is_on_cluster

CARRIED = (udfs, alerts, customers, settings)
"""Packages and modules that a job carries with it by value; none may use `functools.cache`."""
Build = Callable[[StreamTableEnvironment, Config], StatementSet]
"""Makes a job in a table environment."""


def run(builds: Sequence[Build], description: str | None, given: Sequence[str] | None = None) -> None:
    """Submit a job, or run it in this process until it is stopped, or explain it, by its command line.

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
        "--await-savepoint",
        type=Path,
        metavar="PIPE",
        help="plan, then go on from the savepoint that is named through this pipe (JSON)",
    )
    arguments = parser.parse_args(given)
    if not builds:
        parser.error("no job was named")
    try:
        config = load(arguments.config)
    except ConfigError as error:
        parser.error(str(error))
    prepare_process()
    pipe = _open_pipe(arguments.await_savepoint) if arguments.await_savepoint else None
    carry_code()
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
        if pipe is not None:
            _restore_from(env, pipe)
        env.execute(name)


def carry_code() -> None:
    """Let a job carry its Python with it: a TaskManager imports a module once only, whatever version."""
    for carried in CARRIED:
        cloudpickle.register_pickle_by_value(carried)


def prepare_process() -> None:
    """Let this process find the installed Java, Flink and jars, outside of ``flink run``."""
    if not is_on_cluster():
        os.environ.update(flink_environment())


def _open_pipe(path: Path) -> TextIO:
    """Open a pipe for reading; reading it waits until all is said, or the other side is gone."""
    # Where nobody is at the other end any more, opening would wait for ever.
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    return os.fdopen(pipe)


def _restore_from(env: StreamExecutionEnvironment, pipe: TextIO) -> None:
    """Wait until the savepoint to start from is named: all else is ready by then."""
    text = pipe.read()
    if not text:
        sys.exit("the command that asked for this job is gone")
    request = json.loads(text)
    settings = env._j_stream_execution_environment.getConfiguration()
    settings.setString("execution.state-recovery.path", request["savepoint"])
    settings.setString("execution.state-recovery.ignore-unclaimed-state", str(request["drop"]).lower())


def _write(file: Path, text: str) -> None:
    """Write a file that another process waits for: it is there when it is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".part")
    temporary.write_text(text)
    temporary.rename(file)
