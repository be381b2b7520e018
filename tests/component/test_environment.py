"""The local environment as its user meets it: by the command line, with real processes.

The tests share one environment on free ports and throw-away state; each finds it running, without jobs.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from account_alerts.config import Config, load
from account_alerts.kafka.clients import admin, read_to_end, send_all
from account_alerts.kafka.topics import topic_settings
from devenv.layout import MARK, Layout
from devenv.ports import throw_away
from devenv.supervise import processes
from operations.flink.rest import FlinkRest, FlinkUnreachableError

pytestmark = pytest.mark.environment

ALERTS = Path(sys.prefix) / "bin/alerts"
PROGRAMS = {"supervisor", "kafka", "jobmanager", "taskmanager", "reconciler"}
_SECONDS = 300.0


@dataclass
class Machine:
    """One environment and the command line that drives it."""

    config: Config
    file: Path

    @property
    def layout(self) -> Layout:
        return Layout(self.config.local_environment().state)

    def command(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ALERTS_")}
        environment |= {"ALERTS_CONFIG": str(self.file), **variables}
        return subprocess.run(
            [str(ALERTS), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=_SECONDS,
        )

    def alerts(self, *arguments: str) -> str:
        """Run a command that must succeed; returns what it printed."""
        result = self.command(*arguments)
        assert result.returncode == 0, f"alerts {arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def status(self) -> dict[str, Any]:
        result = self.command("status", "--json")
        assert result.stdout, result.stderr
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def pids(self) -> dict[str, int]:
        return {process["name"]: process["pid"] for process in self.status()["processes"]}

    def alive(self) -> list[int]:
        return [process.pid for group in processes(self.layout).values() for process in group]


def awaited(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true in good time."""
    end = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def write_config(folder: Path) -> Machine:
    config = throw_away(load(Path("conf/local.yaml")), folder / "state")
    file = folder / "config.yaml"
    config.write(file)
    return Machine(config, file)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    own = write_config(tmp_path_factory.mktemp("environment"))
    try:
        own.alerts("up", "--fresh", "--no-jobs")
        yield own
    finally:
        own.alerts("down")
    assert own.alive() == []


@pytest.fixture
def machine(shared: Machine) -> Machine:
    """All runs and no job was ever submitted, whatever a test before has left."""
    try:
        jobs = FlinkRest(shared.config.flink.rest_url).jobs()
    except FlinkUnreachableError:
        jobs = []
    if jobs:
        shared.alerts("up", "--fresh", "--no-jobs")
    elif not processes(shared.layout).keys() >= PROGRAMS:
        shared.alerts("up", "--no-jobs")
    return shared


def test_up_starts_real_processes_and_says_where_they_are(machine: Machine) -> None:
    status = machine.status()
    assert {process["name"] for process in status["processes"] if process["running"]} == PROGRAMS
    assert status["kafka"]["reachable"]
    assert status["flink"]["page"] == machine.config.flink.rest_url
    assert [job["state"] for job in status["flink"]["jobs"]] == ["NOT SUBMITTED"]
    assert machine.command("status").returncode == 1  # The jobs do not run.


def test_up_creates_the_topics_of_the_contract(machine: Machine) -> None:
    from confluent_kafka.admin import ConfigResource, ResourceType  # type: ignore[attr-defined]

    client = admin(machine.config)
    existing = client.list_topics(timeout=10).topics
    for key, topic in machine.config.topics.all().items():
        assert len(existing[topic.name].partitions) == topic.partitions
        resource = ConfigResource(ResourceType.TOPIC, topic.name)
        [future] = client.describe_configs([resource]).values()
        settings = {name: entry.value for name, entry in future.result().items()}
        for name, value in topic_settings(machine.config, key).items():
            assert settings[name] == value, (topic.name, name)


def test_up_again_leaves_what_runs_alone(machine: Machine) -> None:
    before = machine.pids()
    machine.alerts("up", "--no-jobs")
    assert machine.pids() == before
    assert "All topics are there." in machine.alerts("topics", "create")


def test_a_taken_port_is_named_with_its_key_and_disturbs_nobody(machine: Machine, tmp_path: Path) -> None:
    before = machine.pids()
    other = write_config(tmp_path)
    port = machine.config.local_environment().kafka_port
    result = other.command("up", "--no-jobs", ALERTS_LOCAL__KAFKA_PORT=str(port))
    assert result.returncode == 1
    assert f"port {port} (local.kafka_port) is taken by process {before['kafka']}" in result.stderr
    assert "ALERTS_LOCAL__KAFKA_PORT" in result.stderr
    assert "Traceback" not in result.stderr
    assert other.alive() == []
    assert other.command("down").returncode == 0
    assert machine.pids() == before


def test_a_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    machine = write_config(tmp_path)
    machine.layout.state.mkdir()
    (machine.layout.state / "thesis.txt").touch()
    result = machine.command("up", "--fresh", "--no-jobs")
    assert result.returncode == 1
    assert "local.state_dir" in result.stderr
    assert [file.name for file in machine.layout.state.iterdir()] == ["thesis.txt"]


def test_processes_that_die_are_restarted(machine: Machine) -> None:
    before = {each["name"]: each for each in machine.status()["processes"]}
    killed = {name: before[name]["pid"] for name in ("kafka", "taskmanager", "reconciler")}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)

    def all_are_new() -> bool:
        pids = machine.pids()
        return all(pids[name] not in (None, pid) for name, pid in killed.items())

    assert awaited(all_are_new)
    restarted = {process["name"]: process["restarts"] for process in machine.status()["processes"]}
    for name in before:
        assert restarted[name] == before[name]["restarts"] + (name in killed), name
    assert awaited(lambda: machine.status()["kafka"]["reachable"])
    assert awaited(lambda: FlinkRest(machine.config.flink.rest_url).slots() > 0)


def test_down_and_up_keep_the_state_and_fresh_forgets_it(machine: Machine) -> None:
    topic = machine.config.topics.dead_letters.name
    send_all(machine.config, [(topic, b"key", b"value")])
    machine.alerts("down")
    assert machine.alive() == []
    machine.alerts("up", "--no-jobs")
    assert [message.value() for message in read_to_end(machine.config, topic)] == [b"value"]
    machine.alerts("up", "--fresh", "--no-jobs")
    assert list(read_to_end(machine.config, topic)) == []


def test_down_finds_everything_after_the_supervisor_was_killed(machine: Machine, tmp_path: Path) -> None:
    bystander = subprocess.Popen(
        ["sleep", "1000"], env={**os.environ, MARK: str(tmp_path)}, start_new_session=True
    )
    try:
        os.kill(machine.pids()["supervisor"], signal.SIGKILL)
        assert awaited(lambda: machine.pids()["supervisor"] is None)
        assert machine.pids()["kafka"] is not None
        machine.alerts("down")
        assert machine.alive() == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    # The ports are free again, and `up` works after that.
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", machine.config.local_environment().kafka_port)) != 0
    machine.alerts("up", "--no-jobs")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_up_leaves_nothing_that_down_does_not_stop(tmp_path: Path, number: int) -> None:
    machine = write_config(tmp_path)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ALERTS_")}
    command = subprocess.Popen(
        [str(ALERTS), "up", "--no-jobs"],
        env=environment | {"ALERTS_CONFIG": str(machine.file)},
        stderr=subprocess.PIPE,
        text=True,
        # What runs in the background inherits that SIGINT is ignored; in a terminal it is not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert command.stderr is not None
    assert "starting" in command.stderr.readline()
    assert awaited(lambda: len(machine.alive()) >= 5)
    command.send_signal(number)
    command.communicate(timeout=_SECONDS)
    assert command.returncode != 0
    if number == signal.SIGKILL:
        assert machine.alive() != []
        machine.alerts("down")
    assert machine.alive() == []


def test_jobs_go_on_from_their_checkpoint_after_the_jobmanager_died(machine: Machine) -> None:
    machine.alerts("up")
    rest = FlinkRest(machine.config.flink.rest_url)
    assert machine.command("status").returncode == 0
    first = {job.name: job.id for job in rest.jobs() if job.live}
    assert set(first) == {"alerting"}
    refused = machine.command("submit", "alerting")
    assert refused.returncode == 1
    assert f"alerting: runs already (job {first['alerting']})" in refused.stderr

    jobmanager = machine.pids()["jobmanager"]
    os.kill(jobmanager, signal.SIGKILL)
    assert awaited(lambda: not psutil.pid_exists(jobmanager))

    def back() -> bool:
        try:
            return {job.name for job in rest.jobs() if job.all_tasks_running} == set(first)
        except FlinkUnreachableError:
            return False

    assert awaited(back)
    for job in rest.jobs():
        assert job.id != first[job.name]
        restored = rest.checkpoints(job.id)["latest"]["restored"]
        assert first[job.name] in restored["external_path"]


def test_a_cancelled_job_is_not_brought_back(shared: Machine) -> None:
    machine, rest = shared, FlinkRest(shared.config.flink.rest_url)
    machine.alerts("up")  # Leaves alone what the test before has left running.
    job = rest.live_job("alerting")
    assert job is not None
    rest.cancel(job.id)
    log = machine.layout.logs / "reconciler.out"
    # It may look while the job is still CANCELLING.
    assert awaited(lambda: re.search("alerting is CANCEL.*: not brought back", log.read_text()) is not None)
    assert rest.live_job("alerting") is None
    machine.alerts("submit", "alerting")
    assert rest.live_job("alerting") is not None
