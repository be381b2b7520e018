"""Submitting the jobs to a cluster with `flink run -py`."""

import fcntl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from account_alerts.config import PROJECT, Config
from account_alerts.flink_rest import FlinkRest, FlinkUnreachableError
from account_alerts.local import flink_conf, health, job_state, versions
from account_alerts.local.attempt import Attempt, keep_config
from account_alerts.local.errors import LocalError
from account_alerts.local.layout import Layout
from account_alerts.local.waiting import say, wait_for

JOBS = {"alert-rules": "alert_rules_job.py", "alerting": "alerting_job.py"}
"""The jobs' names on the cluster and their files, in the order in which data flows."""
ALL_JOBS = "all_jobs.py"
ADHOC = "adhoc-alerts"
"""The job that finds the customers of what analysts' rules find."""
WHOLE = {**JOBS, "device-resolver": "device_resolver_job.py", "reminders": "reminders_job.py"}
"""The jobs of the whole chain, with its two ends."""
FILES = {**WHOLE, ADHOC: "adhoc_alerts_job.py"}
"""The jobs that can be named: those of the whole chain, and the one that analysts' rules need."""
RULE = "rule-"
"""How the names of the rules' own jobs begin."""
_RULE_FILE = "adhoc_rule_job.py"
_RUNNING_SECONDS = 300
_TURN_SECONDS = 300
AT_ONCE = 2
"""Clients at a time: each plans for seconds of a processor, and takes half a GiB."""


def names(job: str) -> list[str]:
    """The jobs that a command's argument means: one, or `all`.

    Raises:
        LocalError: There is no such job.
    """
    if job == "all":
        return list(JOBS)
    if job not in FILES:
        raise LocalError(f"{job}: no such job. There are: {', '.join(FILES)}, and all ({', '.join(JOBS)}).")
    return [job]


def one(job: str) -> str:
    """The job that an argument names, where it must be one.

    Raises:
        LocalError: There is no such job, or it means several.
    """
    if job not in FILES:
        raise LocalError(f"{job}: one job at a time; there are: {', '.join(FILES)}.")
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
    if jobs in (list(JOBS), list(WHOLE)) and config.local is not None and not (resume and had_jobs(config)):
        ids = submit_first(config, whole=jobs == list(WHOLE))
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
        LocalError: A job cannot be submitted, or does not come up.
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
            job_state.started(place, name, job_id, attempt.version(name))
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


def file_of(name: str) -> str:
    """The file of a job, in jobs/."""
    return _RULE_FILE if name.startswith(RULE) else FILES[name]


def bring_back(config: Config, name: str) -> None:
    """Submit a job that was lost from its newest checkpoint, unless it was stopped meanwhile."""
    place = Layout(config.local_environment().state)
    with submitting(place, name):
        if job_state.read(place, name).wanted:
            _submit_here(config, name, place, resume=True)


def submit_one(config: Config, name: str, *, resume: bool) -> str:
    """Submit one job without waiting for it; returns its id."""
    if config.local is None:
        if resume:
            raise LocalError(
                f"{name}: which checkpoint it is to go on from is not known here. Name a savepoint: `flink "
                f"run -d -s PATH -py jobs/{file_of(name)} --config {config.path}`, or begin with "
                "--from-nothing."
            )
        with tempfile.TemporaryDirectory() as folder:
            return _submit_elsewhere(config, file_of(name), Layout(Path(folder)), [])[0]
    place = Layout(config.local.state)
    with submitting(place, name):
        # The keeper and a user may have the same thought; the second one finds the job running.
        return _submit_here(config, name, place, resume=resume)


@contextmanager
def submitting(layout: Layout, name: str) -> Iterator[None]:
    """Claim a job for one submission; a crash releases it.

    Raises:
        LocalError: Somebody else is at it for minutes.
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
        raise LocalError(f"{name}: runs already (job {running.id}).")
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
    [job_id] = attempt.ids(attempt.client(file_of(name), restore(checkpoint), *record.options))
    job_state.started(place, name, job_id, attempt.version(name))
    return job_id


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
    flink_conf.write(place.flink_conf, flink_conf.client_options(config))
    attempt = Attempt(place, Path(file).stem, PROJECT, keep_config(config, place))
    return attempt.ids(attempt.client(file, restored, *options))


def _wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        if job is not None and not job.live:
            raise LocalError(f"{name}: is {job.state}. {health.reason(rest, job_id)}")
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    wait_for(f"{name}: running", running, _RUNNING_SECONDS, f"Look at {rest.url}/#/job/running/{job_id}")
