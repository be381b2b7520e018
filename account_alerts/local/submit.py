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
from account_alerts.local import flink_conf, job_state
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
    for name, job_id in zip(JOBS, _flink_run(state, "all", ALL_JOBS, [], state.config), strict=True):
        job_state.started(state, name, job_id)


def had_jobs(config: Config) -> bool:
    """Whether a job left a checkpoint to go on from."""
    state = Layout(config.local_environment().state)
    return any(job_state.newest_checkpoint(state, name) for name in JOBS)


def submit_one(config: Config, name: str, *, resume: bool) -> str:
    """Submit one job without waiting for it; returns its id."""
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
        return _submit_here(config, name, layout, resume)


def _submit_here(config: Config, name: str, layout: Layout, resume: bool) -> str:
    running = FlinkRest(config.flink.rest_url).live_job(name)
    if running is not None:
        raise LocalError(f"{name}: runs already (job {running.id}).")
    checkpoint = job_state.newest_checkpoint(layout, name) if resume else None
    say(f"{name}: submitting" + (f", from checkpoint {checkpoint.name}" if checkpoint else ""))
    # The new job owns the checkpoint and removes it when it has newer ones.
    restore = ["-s", checkpoint.as_uri(), "-claimMode", "CLAIM"] if checkpoint else []
    # With the values of now, which a variable may have changed since `up`.
    config_file = layout.state / f"{name}.yaml"
    config.write(config_file)
    [job_id] = _flink_run(layout, name, JOBS[name], restore, config_file)
    job_state.started(layout, name, job_id)
    return job_id


def _submit_elsewhere(config: Config, name: str, layout: Layout) -> str:
    """To a cluster this tool did not start: only its address is told, and nothing is remembered."""
    layout.make()
    flink_conf.write(layout.flink_conf, flink_conf.client_options(config))
    config.write(layout.config)
    [job_id] = _flink_run(layout, name, JOBS[name], [], layout.config)
    return job_id


def _flink_run(layout: Layout, name: str, file: str, restore: list[str], config_file: Path) -> list[str]:
    script = PROJECT / "jobs" / file
    if not script.exists():
        raise LocalError(f"{name}: {script} is missing")
    command = [
        str(paths.flink_home() / "bin/flink"),
        *("run", "-d", *restore, "-pyexec", sys.executable, "-pyclientexec", sys.executable),
        *("-py", str(script), "--config", str(config_file)),
    ]
    environment = layout.environment(f"submit-{name}")
    environment["JVM_ARGS"] = f"{_CLIENT_JVM} -Djava.io.tmpdir={layout.tmp}"
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=PROJECT, env=environment
    )
    (layout.logs / f"submit-{name}.out").write_text(result.stdout + result.stderr)
    submitted: list[str] = re.findall(r"JobID (\w{32})", result.stdout)
    if result.returncode or not submitted:
        summary = _without_frames(result.stdout + result.stderr)
        raise LocalError(
            f"{name}: cannot be submitted:\n{summary}\nAll of it: {layout.logs}/submit-{name}.out"
        )
    return submitted


def _without_frames(output: str) -> str:
    """What a client printed, without Java's stack frames and warnings, which hide the reason."""
    noise = re.compile(r"\s+at |\s*\.\.\. \d+ more|WARNING: ")
    return "\n".join(line for line in output.splitlines() if line.strip() and not noise.match(line))


def _wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        if job is not None and not job.live:
            raise LocalError(f"{name}: is {job.state}. {_reason(rest, job_id)}")
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    wait_for(f"{name}: running", running, _RUNNING_SECONDS, f"Look at {rest.url}/#/job/running/{job_id}")


def _reason(rest: FlinkRest, job_id: str) -> str:
    """The first line of what made a job fail."""
    try:
        entries = rest.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    except FlinkUnreachableError:
        return ""
    return str(entries[0]["stacktrace"]).splitlines()[0] if entries else ""
