"""Ending jobs so that they can go on later: stop with a savepoint, cancel, and what to restore from."""

from collections.abc import Callable
from typing import TypeVar

from account_alerts.model.errors import OperationError
from operations.flink.rest import FlinkApi, FlinkRefusedError, FlinkUnreachableError, Job, SavepointError
from operations.waiting import print_progress, wait_for

STOP_SECONDS = 300.0
_CANCEL_SECONDS = 60.0
_T = TypeVar("_T")


def stop(flink: FlinkApi, job: Job, folder: str | None = None, seconds: float = STOP_SECONDS) -> str:
    """Stop a job with a savepoint; return the savepoint's address.

    Args:
        flink: The JobManager.
        job: A live job.
        folder: The address of the folder for the savepoint; the cluster's own where there is none.
        seconds: How long to wait for it.

    Raises:
        SavepointError: The job goes on as it was, as no savepoint could be made.
        FlinkUnreachableError: Whether it stops is not known.
        OperationError: It has not stopped in time.
    """
    print_progress(f"{job.name}: stopping with a savepoint")
    try:
        request = flink.stop_with_savepoint(job.id, folder)
    except FlinkRefusedError as error:
        raise SavepointError(str(error)) from error
    return wait_for(
        f"{job.name}: savepoint",
        patient(lambda: flink.savepoint(job.id, request)),
        seconds,
        f"Look at {flink.url}.",
    )


def cancel(flink: FlinkApi, job: Job) -> None:
    """Cancel a job and wait until it has ended.

    Raises:
        FlinkUnreachableError: Flink does not answer.
        OperationError: It has not ended in time.
    """
    flink.cancel(job.id)
    ended = patient(lambda: all(each.id != job.id or not each.live for each in flink.jobs()))
    wait_for(f"{job.name}: cancelled", ended, _CANCEL_SECONDS, f"Look at {flink.url}.")


def stop_or_cancel(flink: FlinkApi, job: Job, seconds: float = STOP_SECONDS) -> str | None:
    """End a job; return the address of its savepoint.

    A job that makes none, because it fails again and again, is cancelled. Then the address is that of its
    newest checkpoint, or None where it made none.

    Raises:
        FlinkUnreachableError: Flink does not answer.
        OperationError: It does not end.
    """
    try:
        return stop(flink, job, seconds=seconds)
    except (SavepointError, OperationError, FlinkUnreachableError) as error:
        print_progress(f"{job.name}: cancelling it, as it could not be stopped: {error}")
    checkpoint = flink.checkpoints(job.id)["latest"]["completed"]
    cancel(flink, job)
    return str(checkpoint["external_path"]) if checkpoint else None


def final_state(flink: FlinkApi, job: Job) -> str | None:
    """Return where the state of an ended job is: its savepoint, or a cancelled job's newest checkpoint.

    Raises:
        FlinkUnreachableError: Flink does not answer.
    """
    latest = flink.checkpoints(job.id)["latest"]
    state = latest["savepoint"] if job.state == "FINISHED" else latest["completed"]
    return str(state["external_path"]) if state else None


def restore_options(address: str | None) -> list[str]:
    """Return the options of `flink run` to go on from a checkpoint or a savepoint."""
    if address is None:
        return []
    # The new job owns a checkpoint and removes it when it has newer ones; a savepoint is its maker's.
    mode = "CLAIM" if address.rstrip("/").rpartition("/")[2].startswith("chk-") else "NO_CLAIM"
    return ["-s", address, "-claimMode", mode]


def patient(check: Callable[[], _T | None]) -> Callable[[], _T | None]:
    """Return the check, for which no answer from Flink is no answer yet."""

    def checked() -> _T | None:
        try:
            return check()
        except FlinkUnreachableError:
            return None

    return checked
