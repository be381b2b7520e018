"""Submitting the jobs to a cluster with `flink run -py`."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.job_control import state as job_state
from devenv.job_control import versions
from devenv.layout import Layout
from jobs.catalog import ALL_JOBS, JOBS, RULE, WHOLE, file_of
from operations import job_runner
from operations.flink.rest import FlinkRest
from operations.flink.run import Attempt, keep_config
from operations.waiting import say, wait_for

_TURN_SECONDS = 300


def submit_first(config: Config, *, whole: bool = False) -> list[str]:
    """Submit the jobs from one client, to begin anew; returns their ids. The cluster may be starting yet."""
    place = Layout(config.local_environment().state)
    jobs = WHOLE if whole else JOBS
    with ExitStack() as turns:
        for name in jobs:
            turns.enter_context(submitting(place, name))
        say("jobs: submitting")
        attempt = Attempt(place, "all", versions.store(place), keep_config(config, place))
        ids = attempt.ids(attempt.client(ALL_JOBS, [], *(["--whole"] if whole else [])))
        for name, job_id in zip(jobs, ids, strict=True):
            job_state.started(place, name, job_id, attempt.version(name))
    return ids


def had_jobs(config: Config) -> bool:
    """Whether a job left a checkpoint to go on from."""
    state = Layout(config.local_environment().state)
    return any(job_state.newest_checkpoint(state, name) for name in JOBS)


def bring_back(config: Config, name: str) -> None:
    """Submit a job that was lost from its newest checkpoint, unless it was stopped meanwhile."""
    place = Layout(config.local_environment().state)
    with submitting(place, name):
        if job_state.read(place, name).wanted:
            _submit_here(config, name, place, resume=True)


@contextmanager
def submitting(layout: Layout, name: str) -> Iterator[None]:
    """Claim a job for one submission; a crash releases it.

    Raises:
        OperationError: Somebody else is at it for minutes.
    """
    with (layout.state / f"submit-{name}.lock").open("w") as lock:

        def claimed() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        wait_for(
            f"{name}: its turn", claimed, _TURN_SECONDS, "Another command is submitting or upgrading it."
        )
        yield


def _submit_here(config: Config, name: str, place: Layout, *, resume: bool) -> str:
    running = FlinkRest(config.flink.rest_url).live_job(name)
    if running is not None:
        raise OperationError(f"{name}: runs already (job {running.id}).")
    checkpoint = job_state.newest_checkpoint(place, name) if resume else None
    say(f"{name}: submitting" + (f", from {checkpoint.name}" if checkpoint else ""))
    code, kept = versions.store(place), keep_config(config, place)
    record = job_state.read(place, name)
    ran = record.code
    if checkpoint and ran and Path(ran) != code and Path(ran).is_dir():
        # Whether this folder's code fits that state, only an upgrade looks.
        cure = "" if name.startswith(RULE) else f"; `alerts upgrade {name}` takes this folder's code"
        say(f"{name}: goes on with the version that ran{cure}")
        # With the configuration it had, too: it may not know a key that is new.
        code, kept = Path(ran), Path(record.config or kept)
    attempt = Attempt(place, name, code, kept)
    [job_id] = attempt.ids(attempt.client(file_of(name), job_runner.restore(checkpoint), *record.options))
    job_state.started(place, name, job_id, attempt.version(name))
    return job_id
