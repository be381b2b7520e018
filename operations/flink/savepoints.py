"""Ending a rule's job so that it can go on later."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from account_alerts.model.errors import OperationError
from operations.flink.rest import FlinkRest, FlinkUnreachableError, Job, SavepointError
from operations.waiting import say, wait_for

_SAVEPOINT_SECONDS = 60.0
_CANCEL_SECONDS = 60.0


def end(rest: FlinkRest, job: Job) -> str | None:
    """End a job; returns the address of its savepoint.

    One that makes none, because it fails again and again, is cancelled: then the address is that of its
    newest checkpoint; None: there is none.

    Raises:
        OperationError: It does not end.
        FlinkUnreachableError: Flink does not answer.
    """
    try:
        request = rest.stop_with_savepoint(job.id)
        return wait_for(
            f"{job.name}: savepoint", lambda: rest.savepoint(job.id, request), _SAVEPOINT_SECONDS, ""
        )
    except (SavepointError, OperationError, FlinkUnreachableError) as error:
        say(f"{job.name}: cancelling it, as it could not be stopped: {error}")
    completed = rest.checkpoints(job.id)["latest"]["completed"]
    rest.cancel(job.id)

    def ended() -> bool:
        return all(each.id != job.id or not each.live for each in rest.jobs())

    wait_for(f"{job.name}: cancelled", ended, _CANCEL_SECONDS, f"Look at {rest.url}.")
    return str(completed["external_path"]) if completed else None


def ended_with(rest: FlinkRest, job: Job) -> str | None:
    """Where the state of an ended job is: its savepoint, or of a cancelled one its newest checkpoint.

    None: there is none.

    Raises:
        FlinkUnreachableError: Flink does not answer.
    """
    latest = rest.checkpoints(job.id)["latest"]
    state = latest["savepoint"] if job.state == "FINISHED" else latest["completed"]
    return str(state["external_path"]) if state else None


def folder(address: str | None) -> Path | None:
    """Where on this machine a savepoint or checkpoint is."""
    return Path(unquote(urlsplit(address).path)) if address else None


def restored(address: str | None) -> list[str]:
    """What `flink run` is told to go on from; the savepoint stays its maker's."""
    return ["-s", address, "-claimMode", "NO_CLAIM"] if address else []
