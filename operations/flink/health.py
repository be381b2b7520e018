"""Whether a job that was just started works."""

import time
from collections.abc import Callable, Iterable

from account_alerts.model.errors import OperationError
from operations.flink.rest import FlinkApi, FlinkUnreachableError, live_job
from operations.flink.savepoints import patient
from operations.waiting import print_progress, wait_for

_SECONDS = 300.0
_HEALTHY_SECONDS = 120.0


def wait_until_running(flink: FlinkApi, name: str, job_id: str) -> None:
    """Wait until all tasks run; a job may fail and be restarted meanwhile.

    Raises:
        OperationError: The job ended, or its tasks do not run in time.
    """
    _wait(flink, name, job_id, "running", lambda: _all_tasks_run(flink, job_id), _SECONDS, may_fail=True)


def wait_until_healthy(
    flink: FlinkApi, name: str, job_id: str, watched: int, on_running: Callable[[], None]
) -> None:
    """Wait until all tasks run, then for a checkpoint asked for after that, and a time without a failure.

    Args:
        flink: The JobManager.
        name: The job's name, for the error.
        job_id: The job.
        watched: The time, milliseconds.
        on_running: Called when all tasks run for the first time.

    Raises:
        OperationError: The job failed, or one of this did not happen in time.
    """
    _wait(flink, name, job_id, "running", lambda: _all_tasks_run(flink, job_id), _HEALTHY_SECONDS)
    on_running()
    began, asked_at = time.monotonic(), time.time() * 1000
    flink.trigger_checkpoint(job_id)

    def healthy() -> bool:
        latest = flink.checkpoints(job_id)["latest"]["completed"]
        done = latest is not None and latest["trigger_timestamp"] >= asked_at
        return done and time.monotonic() - began >= watched / 1000

    _wait(flink, name, job_id, "first checkpoint", healthy, _HEALTHY_SECONDS)


def wait_for_checkpoints(flink: FlinkApi, names: Iterable[str]) -> None:
    """Ask each job for a checkpoint and wait until it has made one since it was submitted.

    Raises:
        OperationError: A job does not run, or makes none in time.
    """
    for name in names:
        job = live_job(flink, name)
        if job is None:
            raise OperationError(f"{name}: does not run. See `alerts status` and the logs.")
        job_id = job.id

        def completed(job_id: str = job_id) -> bool:
            return int(flink.checkpoints(job_id)["counts"]["completed"]) > 0

        if not patient(completed)():
            flink.trigger_checkpoint(job_id)
            wait_for(f"{name}: first checkpoint", patient(completed), _SECONDS, f"Look at {flink.url}.")
    print_progress("checkpoints are made")


def _all_tasks_run(flink: FlinkApi, job_id: str) -> bool:
    job = next((job for job in flink.jobs() if job.id == job_id), None)
    return job is not None and job.state == "RUNNING" and job.all_tasks_running


def _wait(
    flink: FlinkApi,
    name: str,
    job_id: str,
    what: str,
    check: Callable[[], bool],
    seconds: float,
    *,
    may_fail: bool = False,
) -> None:
    def checked() -> bool:
        try:
            failure = flink.last_failure(job_id)
            ended = next((job for job in flink.jobs() if job.id == job_id and not job.live), None)
            if ended or (failure and not may_fail):
                raise OperationError(f"{name}: {ended.state if ended else 'failed'}. {failure}")
            return check()
        except FlinkUnreachableError:
            return False  # It may be busy; what counts is what it says when it answers.

    wait_for(f"{name}: {what}", checked, seconds, f"Look at {flink.url}/#/job/running/{job_id}")
