"""Submitting the jobs to a cluster with `flink run -py`."""

import fcntl
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from account_alerts import paths
from account_alerts.config import PROJECT, Config
from account_alerts.flink_rest import FlinkRest, FlinkUnreachableError
from account_alerts.local import flink_conf, job_state, versions
from account_alerts.local.errors import LocalError
from account_alerts.local.layout import Layout
from account_alerts.local.waiting import say, wait_for

JOBS = {"alert-rules": "alert_rules_job.py", "alerting": "alerting_job.py"}
"""The jobs' names on the cluster and their files, in the order in which data flows."""
ALL_JOBS = "all_jobs.py"
_RUNNING_SECONDS = 300
# A client lives for seconds only: the quick compiler is enough.
# Do not add an archive of its classes (-XX:SharedArchiveFile): with one, the planner cannot compile its code.
_CLIENT_JVM = "-Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def names(job: str) -> list[str]:
    """The jobs that a command's argument means: one, or `all`.

    Raises:
        LocalError: There is no such job.
    """
    if job == "all":
        return list(JOBS)
    if job not in JOBS:
        raise LocalError(f"{job}: no such job. There are: {', '.join(JOBS)}, and all.")
    return [job]


def one(job: str) -> str:
    """The job that an argument names, where it must be one.

    Raises:
        LocalError: There is no such job, or it means several.
    """
    if job not in JOBS:
        raise LocalError(f"{job}: one job at a time; there are: {', '.join(JOBS)}.")
    return job


def submit(config: Config, jobs: list[str], *, resume: bool = True) -> None:
    """Submit jobs, several at a time, and wait until they run.

    Args:
        config: Says which cluster.
        jobs: Their names.
        resume: Go on from each job's newest retained checkpoint, where there is one.

    Raises:
        LocalError: A job runs already, cannot be submitted, or does not come up.
    """
    rest = FlinkRest(config.flink.rest_url)
    try:
        running = {job.name: job.id for job in rest.jobs() if job.live}
    except FlinkUnreachableError as error:
        raise LocalError(f"{error}. Start it: alerts up --no-jobs") from error
    for name in jobs:
        if name in running:
            raise LocalError(
                f"{name}: runs already (job {running[name]}). Cancel it first on {config.flink.rest_url}."
            )
    with ThreadPoolExecutor(len(jobs)) as pool:
        ids = list(pool.map(lambda name: submit_one(config, name, resume=resume), jobs))
    for name, job_id in zip(jobs, ids, strict=True):
        _wait_until_running(rest, name, job_id)
        say(f"{name}: running")


def wait_until_running(config: Config) -> None:
    """Wait until all jobs that were submitted run."""
    rest = FlinkRest(config.flink.rest_url)
    for job in rest.jobs():
        if job.live and job.name in JOBS:
            _wait_until_running(rest, job.name, job.id)


def submit_first(config: Config) -> None:
    """Submit all jobs to a cluster that is still starting and never had any, from one client."""
    state = Layout(config.local_environment().state)
    say("jobs: submitting")
    code = versions.store(state)
    for name, job_id in zip(JOBS, _flink_run(state, "all", ALL_JOBS, [], state.config, code), strict=True):
        job_state.started(state, name, job_id, code)


def had_jobs(config: Config) -> bool:
    """Whether a job left a checkpoint to go on from."""
    state = Layout(config.local_environment().state)
    return any(job_state.newest_checkpoint(state, name) for name in JOBS)


def submit_one(config: Config, name: str, *, resume: bool, code: Path | None = None) -> str:
    """Submit one job, of this project's code or another's, without waiting for it; returns its id."""
    if config.local is None:
        if resume:
            raise LocalError(
                f"{name}: which checkpoint it is to go on from is not known here. Name a savepoint: `flink "
                f"run -d -s PATH -py jobs/{JOBS[name]} --config {config.path}`, or begin with --from-nothing."
            )
        with tempfile.TemporaryDirectory() as folder:
            return _submit_elsewhere(config, name, Layout(Path(folder)))
    layout = Layout(config.local.state)
    with (layout.state / f"submit-{name}.lock").open("w") as lock:
        # The keeper and a user may have the same thought; the second one finds the job running.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _submit_here(config, name, layout, resume, code or versions.store(layout))


def _submit_here(config: Config, name: str, layout: Layout, resume: bool, code: Path) -> str:
    running = FlinkRest(config.flink.rest_url).live_job(name)
    if running is not None:
        raise LocalError(f"{name}: runs already (job {running.id}).")
    checkpoint = job_state.newest_checkpoint(layout, name) if resume else None
    say(f"{name}: submitting" + (f", from checkpoint {checkpoint.name}" if checkpoint else ""))
    # The new job owns the checkpoint and removes it when it has newer ones.
    restore = ["-s", checkpoint.as_uri(), "-claimMode", "CLAIM"] if checkpoint else []
    [job_id] = _flink_run(layout, name, JOBS[name], restore, config_now(config, layout, name), code)
    job_state.started(layout, name, job_id, code)
    return job_id


def submit_from(config: Config, name: str, savepoint: str, code: Path) -> str:
    """Submit one job from a savepoint, which stays; returns its id. The caller remembers it."""
    place = Layout(config.local_environment().state)
    restore = ["-s", savepoint]
    [job_id] = _flink_run(place, name, JOBS[name], restore, config_now(config, place, name), code)
    return job_id


def config_now(config: Config, layout: Layout, name: str) -> Path:
    """A file for a job with the values of now, which a variable may have changed since `up`."""
    config_file = layout.state / f"{name}.yaml"
    config.write(config_file)
    return config_file


def _submit_elsewhere(config: Config, name: str, layout: Layout) -> str:
    """To a cluster this tool did not start: only its address is told, and nothing is remembered."""
    layout.make()
    flink_conf.write(layout.flink_conf, flink_conf.client_options(config))
    config.write(layout.config)
    [job_id] = _flink_run(layout, name, JOBS[name], [], layout.config, PROJECT)
    return job_id


def _flink_run(
    layout: Layout, name: str, file: str, restore: list[str], config_file: Path, code: Path
) -> list[str]:
    return ids_of(layout, name, client(layout, name, file, restore, config_file, code))


def client(
    layout: Layout, name: str, file: str, restore: list[str], config_file: Path, code: Path, *options: str
) -> "subprocess.Popen[str]":
    """Start `flink run` for a job file in a folder of code; `options` are the file's own."""
    script = code / "jobs" / file
    if not script.exists():
        raise LocalError(f"{name}: {script} is missing")
    command = [
        str(paths.flink_home() / "bin/flink"),
        *("run", "-d", *restore, "-pyexec", sys.executable, "-pyclientexec", sys.executable),
        *("-py", str(script), "--config", str(config_file), "--operators", str(layout.operators), *options),
    ]
    environment = layout.environment(f"submit-{name}")
    environment["JVM_ARGS"] = f"{_CLIENT_JVM} -Djava.io.tmpdir={layout.tmp}"
    environment["PYTHONPATH"] = str(code)  # Before what is installed.
    with (layout.logs / f"submit-{name}.out").open("w") as output:
        return subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=code, env=environment
        )


def ids_of(layout: Layout, name: str, running: "subprocess.Popen[str]") -> list[str]:
    """Wait for a client; returns the ids of the jobs it submitted.

    Raises:
        LocalError: It could not submit them.
    """
    status = running.wait()
    file = layout.logs / f"submit-{name}.out"
    output = file.read_text()
    submitted: list[str] = re.findall(r"JobID (\w{32})", output)
    if status or not submitted:
        raise LocalError(f"{name}: cannot be submitted:\n{_without_frames(output)}\nAll of it: {file}")
    return submitted


def _without_frames(output: str) -> str:
    """What a client printed, without Java's stack frames and warnings, which hide the reason."""
    noise = re.compile(r"\s+at |\s*\.\.\. \d+ more|WARNING: ")
    return "\n".join(line for line in output.splitlines() if line.strip() and not noise.match(line))


def _wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        if job is not None and not job.live:
            raise LocalError(f"{name}: is {job.state}. {reason(rest, job_id)}")
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    wait_for(f"{name}: running", running, _RUNNING_SECONDS, f"Look at {rest.url}/#/job/running/{job_id}")


def reason(rest: FlinkRest, job_id: str) -> str:
    """The innermost cause of what made a job fail."""
    try:
        entries = rest.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    except FlinkUnreachableError:
        return ""
    if not entries:
        return ""
    lines = str(entries[0]["stacktrace"]).splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return causes[-1].removeprefix("Caused by: ") if causes else lines[0]
