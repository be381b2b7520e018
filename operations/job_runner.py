"""TODO."""

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from account_alerts.config import Config
from account_alerts.installation import CODE
from account_alerts.model.errors import OperationError
from devenv.job_control import runner, state, versions
from devenv.layout import Layout
from jobs.catalog import _RULE_FILE, JOBS, WHOLE, file_of
from operations.flink import client_config, health
from operations.flink.rest import FlinkRest, FlinkUnreachableError
from operations.flink.run import Attempt, keep_config
from operations.waiting import say, wait_for

_RUNNING_SECONDS = 300
AT_ONCE = 2
"""Clients at a time: each plans for seconds of a processor, and takes half a GiB."""


def submit(config: Config, jobs: list[str], *, resume: bool = True) -> None:
    """Submit jobs, several at a time, and wait until they run.

    Args:
        config: Says which cluster.
        jobs: Their names.
        resume: Go on from each job's newest retained checkpoint, where there is one.

    Raises:
        OperationError: A job runs already, cannot be submitted, or does not come up.
    """
    rest = FlinkRest(config.flink.rest_url)
    try:
        running = {job.name: job.id for job in rest.jobs() if job.live}
    except FlinkUnreachableError as error:
        raise OperationError(f"{error}. Start it: alerts up --no-jobs") from error
    for name in jobs:
        if name in running:
            raise OperationError(
                f"{name}: runs already (job {running[name]}). Cancel it first on {config.flink.rest_url}."
            )
    if (
        jobs in (list(JOBS), list(WHOLE))
        and config.local is not None
        and not (resume and runner.had_jobs(config))
    ):
        ids = runner.submit_first(config, whole=jobs == list(WHOLE))
    else:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            ids = list(pool.map(lambda name: submit_one(config, name, resume=resume), jobs))
    _wait_for_all(rest, dict(zip(jobs, ids, strict=True)))


def submit_rules(config: Config, files: Mapping[str, Path], since: int, restored: Sequence[str] = ()) -> None:
    """Submit analysts' rules from one client, and wait until they run.

    Args:
        config: Says which cluster.
        files: The rules, by the name of their job.
        since: Bookings written to Kafka from then on raise alerts, milliseconds UTC.
        restored: What `flink run` is told to go on from, where it is one rule on a cluster of others; each
            begins anew without.

    Raises:
        OperationError: A job cannot be submitted, or does not come up.
    """
    say(f"{', '.join(files)}: submitting")
    options = [*(part for file in files.values() for part in ("--rule", str(file))), "--since", str(since)]
    if config.local is None:
        with tempfile.TemporaryDirectory() as folder:
            ids = _submit_elsewhere(config, _RULE_FILE, Layout(Path(folder)), options, restored)
    else:
        place = Layout(config.local.state)
        attempt = Attempt(place, "rules", versions.store(place), keep_config(config, place))
        ids = attempt.ids(attempt.client(_RULE_FILE, [], *options))
        for name, job_id in zip(files, ids, strict=True):
            state.started(place, name, job_id, attempt.version(name))
    _wait_for_all(FlinkRest(config.flink.rest_url), dict(zip(files, ids, strict=True)))


def _wait_for_all(rest: FlinkRest, ids: Mapping[str, str]) -> None:
    for name, job_id in ids.items():
        _wait_until_running(rest, name, job_id)
        say(f"{name}: running")


def wait_until_running(config: Config) -> None:
    """Wait until all jobs that were submitted run."""
    rest = FlinkRest(config.flink.rest_url)
    for job in rest.jobs():
        if job.live and job.name in WHOLE:
            _wait_until_running(rest, job.name, job.id)


def submit_one(config: Config, name: str, *, resume: bool) -> str:
    """Submit one job without waiting for it; returns its id."""
    if config.local is None:
        if resume:
            raise OperationError(
                f"{name}: which checkpoint it is to go on from is not known here. Name a savepoint: `flink "
                f"run -d -s PATH -py jobs/{file_of(name)} --config {config.path}`, or begin with "
                "--stateless."
            )
        with tempfile.TemporaryDirectory() as folder:
            return _submit_elsewhere(config, file_of(name), Layout(Path(folder)), [])[0]
    place = Layout(config.local.state)
    with runner.submitting(place, name):
        # The keeper and a user may have the same thought; the second one finds the job running.
        return runner._submit_here(config, name, place, resume=resume)


def restore(checkpoint: Path | None) -> list[str]:
    """The options of `flink run` to go on from a checkpoint, or a savepoint."""
    if checkpoint is None:
        return []
    # The new job owns a checkpoint and removes it when it has newer ones; a savepoint is its maker's.
    mode = "CLAIM" if checkpoint.name.startswith("chk-") else "NO_CLAIM"
    return ["-s", checkpoint.as_uri(), "-claimMode", mode]


def _submit_elsewhere(
    config: Config, file: str, place: Layout, options: Sequence[str], restored: Sequence[str] = ()
) -> list[str]:
    """To a cluster this tool did not start: only its address is told, and nothing is remembered."""
    place.make()
    client_config.write(place.flink_conf, client_config.client_options(config))
    attempt = Attempt(place, Path(file).stem, CODE, keep_config(config, place))
    return attempt.ids(attempt.client(file, restored, *options))


def _wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        if job is not None and not job.live:
            raise OperationError(f"{name}: is {job.state}. {health.reason(rest, job_id)}")
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    wait_for(f"{name}: running", running, _RUNNING_SECONDS, f"Look at {rest.url}/#/job/running/{job_id}")
