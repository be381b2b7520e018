"""The tables and rules of sql/, filled in from the configuration; used by every job."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template

import cloudpickle
import psutil
from iso4217 import Currency
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StatementSet, StreamTableEnvironment, TableEnvironment

import udfs
from account_alerts.codec import schema_text
from account_alerts.config import LARGEST_RECORD, PROJECT, Config, ConfigError, load
from account_alerts.config_model import Duration
from account_alerts.local.layout import flink_environment
from udfs.partitions import CLICKS_HEARTBEAT, heartbeat_keys

SQL = PROJECT / "sql"


def statement(path: str, config: Config, **more: str) -> str:
    """The SQL of a file under sql/, its ``${names}`` replaced by what the configuration says, or `more`.

    Raises:
        KeyError: The file uses a name that is not known.
    """
    return Template((SQL / path).read_text()).substitute(values(config) | more)


def create_view(table_env: TableEnvironment, path: str, config: Config) -> None:
    """Make the view that a file under sql/ has a CREATE TEMPORARY VIEW for.

    As a table and not by the statement: Flink reads the text of a view again wherever it is used, with all
    views below it, which took half of a job's start; and it cannot read one again that calls a process table
    function (2.3).

    Raises:
        KeyError: The file uses a name that is not known.
        ValueError: The file has no such statement.
    """
    sql = statement(path, config)
    view = re.search(r"^CREATE TEMPORARY VIEW (\w+) AS\n", sql, re.MULTILINE)
    if view is None:
        raise ValueError(f"sql/{path}: has no line CREATE TEMPORARY VIEW name AS")
    table_env.create_temporary_view(view[1], table_env.sql_query(sql[view.end() :]))


def values(config: Config) -> dict[str, str]:
    """What the SQL files may name: topics by their key, options of Kafka and of the encoding, times,
    currencies."""
    kafka = config.kafka
    client = {f"properties.{key}": value for key, value in kafka.java().items()}
    # Alerts wait for no batch; `acks=all` and idempotence are the client's own defaults, said here to be
    # seen.
    producer = {
        "properties.linger.ms": "0",
        "properties.acks": "all",
        "properties.max.request.size": str(LARGEST_RECORD),
        "properties.compression.type": "lz4",
        "sink.delivery-guarantee": "at-least-once",
    }
    if kafka.encoding == "avro-confluent":
        url = str(kafka.schema_registry_url)
        decoding = {"value.alerts-avro.encoding": "avro-confluent", "value.alerts-avro.url": url}
        # One subject, named after the record: the sink has several topics. Our schema: Flink's own would have
        # another name.
        encoding = {
            "value.avro-confluent.url": url,
            "value.avro-confluent.subject": "alerts.OutboundAlert",
            "value.avro-confluent.schema": schema_text("OutboundAlert"),
        }
    else:
        decoding = {"value.alerts-avro.encoding": "avro"}
        encoding = {}
    return {
        **{key: topic.name for key, topic in config.topics.all().items()},
        "kafka_client": _options(client),
        "kafka_producer": _options(producer),
        "decoding": _options(decoding),
        "encoding": _options({"value.format": kafka.encoding, **encoding}),
        "effect_delay": _seconds(config.rules.effect_delay),
        # A reader without a partition would have no watermark, and hold back the whole join.
        "rules_readers": str(min(config.alerting.parallelism, config.topics.alert_rules.partitions)),
        "count_reach": str(config.rules.count_reach),
        # Longer than Kafka keeps a booking: a backlog finds what was counted before it.
        "count_kept": str((config.topics.account_entries.retention or 0) + config.rules.count_reach),
        "clock_skew": _seconds(config.rules.clock_skew),
        "clock_interval": f"{config.alerting.clock_interval} ms",
        "heartbeat_interval": f"{config.rules.heartbeat_interval} ms",
        **_of_clicks(config),
        "iso_4217": ", ".join(f"'{currency.code}'" for currency in Currency),
    }


def _of_clicks(config: Config) -> dict[str, str]:
    clicks = config.clicks
    if clicks is None:
        return {}
    partitions = config.topics.click_events.partitions
    return {
        "reminder_after": _days(clicks.reminder_after),
        "clicks_readers": str(min(clicks.parallelism, partitions)),
        "clicks_heartbeat_interval": f"{clicks.heartbeat_interval} ms",
        "clicks_heartbeats": ", ".join(f"'{key}'" for key in heartbeat_keys(partitions, CLICKS_HEARTBEAT)),
    }


SHARED_OPTIONS = {
    "table.exec.uid.generation": "ALWAYS",
    "table.local-time-zone": "UTC",
}
"""Flink's options for every job; its own win."""
_BUNDLE_TIME = {"process": "5", "thread": "1000"}
"""Milliseconds that rows wait for a bundle to fill; in a thread none waits, but operators wake so often."""


def configure(table_env: StreamTableEnvironment, options: dict[str, str]) -> None:
    """Set a job's options, and those that all share.

    Outside of ``flink run`` the job runs in this process, with this interpreter; on a cluster its
    configuration says which one it has.
    """
    if not _on_cluster():
        options = {"python.executable": sys.executable, "python.client.executable": sys.executable, **options}
    bundle_time = _BUNDLE_TIME[options.get("python.execution-mode", "process")]
    shared = {**SHARED_OPTIONS, "python.fn-execution.bundle.time": bundle_time}
    for key, value in {**shared, **options}.items():
        table_env.get_config().set(key, value)


def analysts_options(config: Config, name: str, parallelism: int) -> dict[str, str]:
    """Flink's options for a job of analysts' rules."""
    job = config.adhoc
    return {
        "pipeline.name": name,
        "parallelism.default": str(parallelism),
        # Few records go between tasks: each at once, and no thread looks every millisecond for one.
        "execution.buffer-timeout.interval": "0 ms",
        "execution.checkpointing.interval": f"{job.checkpoint_interval} ms",
        "execution.checkpointing.incremental": "true",
        "state.backend.type": job.state_backend,
        "python.execution-mode": job.python_mode,
    }


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
    cloudpickle.register_pickle_by_value(udfs)
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


def give_stable_ids(table_env: StreamTableEnvironment) -> None:
    """Name what holds state after its table or part, so that a savepoint fits the job after SQL has changed.

    Flink's own ids of SQL operators are numbers in the order of planning: one more column, and they all move.

    Raises:
        ValueError: Two operators would have the same id.
    """
    seen: dict[str, int] = {}
    numbered: dict[int, str] = {}
    for sink in table_env._j_tenv.execEnv().getTransformations():
        for operator in sink.getTransitivePredecessors():
            name = _STATEFUL.get(re.sub(r"\[\d+\]", "", operator.getName()))
            stable = _stable_id(operator.getClass().getSimpleName(), operator.getName())
            if name:
                # A rule may join twice: numbered in the order of the plan.
                count = sum(each.rpartition("-")[0] == name for each in numbered.values())
                stable = numbered.setdefault(operator.getId(), f"{name}-{count + 1}")
            if stable is None:
                continue
            if seen.setdefault(stable, operator.getId()) != operator.getId():
                raise ValueError(f"two operators would have the id {stable!r}: read each table in one place")
            operator.setUid(stable)


def operators(table_env: StreamTableEnvironment) -> dict[str, list[str]]:
    """The operators that hold state by id, and for keyed state the types of the rows it is made of."""
    found: dict[str, list[str]] = {}
    for sink in table_env._j_tenv.execEnv().getTransformations():
        for operator in sink.getTransitivePredecessors():
            uid = operator.getUid()
            if uid is None or _NUMBERED.match(uid):
                continue
            kind = operator.getClass().getSimpleName()
            keyed = kind in _WITH_KEYS and operator.getStateKeyType() is not None
            inputs = operator.getInputs() if keyed else []
            found[uid] = [str(each.getOutputType().toString()) for each in inputs]
    return found


_STATEFUL = {
    "Deduplicate": "first-of-each",
    "IntervalJoin": "join-in-time",
    "Join": "join-all",
    "OverAggregate": "aggregate-over",
    "GroupAggregate": "aggregate",
    "Rank": "rank",
}
"""What of SQL has keyed state, by how Flink calls it, and how its id begins."""
_NUMBERED = re.compile(r"\d+_")
"""Flink's own ids, of what holds no state."""
_WITH_KEYS = ("OneInputTransformation", "TwoInputTransformation", "KeyedMultipleInputTransformation")


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


def _stable_id(kind: str, name: str) -> str | None:
    table = re.sub(r"^Source: |\[\d+\]", "", name).rpartition(".")[2]
    if kind.endswith("SourceTransformation"):
        return f"read-{table}"
    if kind == "SinkTransformation":
        return f"write-{table}"
    return "join-rules" if table == "TemporalJoin" else None


def _on_cluster() -> bool:
    return "PYFLINK_GATEWAY_PORT" in os.environ


def _options(options: dict[str, str]) -> str:
    """Options of a table's WITH clause, a line each; the clause's other options stand around them."""
    return "\n  ".join(f"'{key}' = '{_quoted(value)}'," for key, value in options.items())


def _quoted(value: str) -> str:
    return value.replace("'", "''")


def _seconds(milliseconds: Duration) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def _days(milliseconds: Duration) -> str:
    """As an interval DAY TO SECOND: what is longer than 99 seconds is no interval of seconds to Flink."""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 1440} {minutes // 60 % 24:02}:{minutes % 60:02}:{_seconds(rest)}"
