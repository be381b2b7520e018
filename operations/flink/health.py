"""Whether a job that was just started works."""

import time
from collections.abc import Callable

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from operations.flink.rest import FlinkRest, FlinkUnreachableError
from operations.waiting import say, wait_for

SECONDS = 120.0
_WATCHED_SECONDS = 10.0
"""A version that fails at its first records does so by then, where there are any."""


def wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    """Wait until all tasks run.

    Raises:
        OperationError: The job failed, or they do not in time.
    """

    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    _wait(rest, name, job_id, "running", running)


def wait_until_healthy(rest: FlinkRest, name: str, job_id: str) -> None:
    """Wait for a checkpoint that was asked for when all tasks ran, and some seconds without a failure.

    Raises:
        OperationError: The job failed, or makes none in time.
    """
    began, asked_at = time.monotonic(), time.time() * 1000
    rest.trigger_checkpoint(job_id)

    def healthy() -> bool:
        latest = rest.checkpoints(job_id)["latest"]["completed"]
        done = latest is not None and latest["trigger_timestamp"] >= asked_at
        return done and time.monotonic() - began >= _WATCHED_SECONDS

    _wait(rest, name, job_id, "first checkpoint", healthy)


def reason(rest: FlinkRest, job_id: str) -> str:
    """The innermost cause of what made a job fail last; nothing if it did not."""
    entries = rest.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
    if not entries:
        return ""
    lines = str(entries[0]["stacktrace"]).splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return causes[-1].removeprefix("Caused by: ") if causes else lines[0]


def _wait(rest: FlinkRest, name: str, job_id: str, what: str, check: Callable[[], bool]) -> None:
    def checked() -> bool:
        try:
            failure = reason(rest, job_id)
            ended = next((job for job in rest.jobs() if job.id == job_id and not job.live), None)
            if failure or ended:
                raise OperationError(f"{name}: {ended.state if ended else 'failed'}. {failure}")
            return check()
        except FlinkUnreachableError:
            return False  # It may be busy; what counts is what it says when it answers.

    wait_for(f"{name}: {what}", checked, SECONDS, f"Look at {rest.url}/#/job/running/{job_id}")


_SECONDS = 300.0


def wait_for_checkpoints(config: Config, jobs: list[str]) -> None:
    """Ask each job for a checkpoint and wait until it has made one since it was submitted."""
    rest = FlinkRest(config.flink.rest_url)
    for name in jobs:
        job = rest.live_job(name)
        if job is None:
            raise OperationError(f"{name}: does not run. See `alerts status` and the logs.")
        job_id = job.id

        def completed(job_id: str = job_id) -> bool:
            return int(rest.checkpoints(job_id)["counts"]["completed"]) > 0

        if not completed():
            rest.trigger_checkpoint(job_id)
            wait_for(f"{name}: first checkpoint", completed, _SECONDS, f"Look at {rest.url}.")
    say("checkpoints are made")
