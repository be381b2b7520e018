"""`alerts upgrade` and `alerts rollback`: another version of a job, from a savepoint of the one that runs.

All that takes long is done while the old version still works: the new one is planned by a client that then
waits. If it doesn't fit the state, nothing has been stopped; if it doesn't become healthy, the old one takes
over again. From the moment the job is stopped until the other version runs it is noted where to go on from:
if this command is killed, the reconciler (on the laptop) or `alerts submit` starts the old version again.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from account_alerts.config import PROJECT, load
from account_alerts.model.errors import OperationError
from operations.flink import health, savepoints, versions
from operations.flink.prepared import Prepared
from operations.flink.rest import FlinkUnreachableError, Job, SavepointError, live_job
from operations.flink.run import Version
from operations.interruption import interruptible
from operations.job_runner import JobRunner
from operations.job_store import DesiredState, JobRecord, PreviousVersion, UpgradeMode
from operations.state_compatibility import incompatible, new_operators, redundant_drops, refuse_two_jobs
from operations.waiting import print_progress


def upgrade(runner: JobRunner, name: str, code: Path = PROJECT, dropped: Sequence[str] = ()) -> None:
    """Replace a running job by another version of it, with the runner's configuration.

    Args:
        runner: The cluster.
        name: The job's name.
        code: The folder of a project with the new version.
        dropped: Operators whose state may be lost.

    Raises:
        OperationError: It does not run, does not fit (then it goes on as it was), or did not become healthy
            (then the old version runs again).
    """
    with runner.claim(name), interruptible():
        job, record, old = _running(runner, name)
        refuse_two_jobs(name, old.operators)
        stored = versions.store(runner.store.folder, code)
        if others := versions.differ_in_what_is_not_carried(Path(old.code), stored):
            print_progress(
                f"{name}: {', '.join(others)} differ, too; TaskManagers that run keep theirs until they are "
                "started anew (here: `alerts down` and `alerts up`)"
            )
        new = runner.prepare(name, stored, runner.config)
        try:
            version = new.plan()
            reasons = incompatible(old.operators, version.operators, dropped)
            reasons += redundant_drops(old.operators, version.operators, dropped)
            if reasons:
                raise OperationError(
                    f"{name}: goes on as it is; it cannot be upgraded:\n"
                    + "\n".join(reasons)
                    + "\ndocs/operations/upgrades.md says how to begin anew instead."
                )
            for operator in new_operators(old.operators, version.operators):
                print_progress(f"{name}: {operator} is new and begins without state")
            began = time.monotonic()
            savepoint = _stop(runner, job)
            way_back = replace(record, savepoint=savepoint)
            _replace(runner, name, new, version, savepoint, way_back, bool(dropped), began)
        finally:
            new.discard()
        versions.prune(runner.store.folder, runner.store.used_code())
    print_progress(f"{name}: upgraded. `alerts rollback {name}` goes back (savepoint {savepoint})")


def rollback(runner: JobRunner, name: str) -> None:
    """Replace a job by the version that ran before its last upgrade, with the configuration it had.

    It goes on from a savepoint of the version that runs, where that fits; else, or where none can be made,
    from the one of the upgrade: then what came since is worked on again, and its alerts come again with the
    same ids.

    Raises:
        OperationError: There is no version before, or it did not become healthy.
    """
    with runner.claim(name), interruptible():
        record, job = runner.store.read(name), live_job(runner.flink, name)
        previous = record.previous
        if previous is None or not Path(previous.version.code).is_dir():
            raise OperationError(
                f"{name}: no version before is known. `alerts upgrade {name} --code FOLDER`."
            )
        refuse_two_jobs(name, previous.version.operators)
        new = runner.prepare(name, Path(previous.version.code), load(Path(previous.version.config)))
        try:
            version = new.plan()
            operators = record.version.operators if record.version else {}
            # What the newer version alone has may go: it has no meaning for the older one.
            added = operators.keys() - version.operators.keys()
            reasons = incompatible(operators, version.operators, added)
            reasons += incompatible(version.operators, operators, operators.keys())
            began = time.monotonic()
            savepoint = _stop_or_cancel(runner, job)
            source = savepoint
            if reasons or source is None:
                print_progress("\n".join([f"{name}: what it knows now cannot be used", *reasons]))
                print_progress(
                    f"{name}: goes back to the savepoint of the upgrade; alerts since come again, same ids"
                )
                source = previous.savepoint
            way_back = replace(record, savepoint=savepoint or source)
            _replace(runner, name, new, version, source, way_back, bool(added), began)
        finally:
            new.discard()
    print_progress(f"{name}: rolled back")


def _replace(
    runner: JobRunner,
    name: str,
    new: Prepared,
    version: Version,
    source: str,
    way_back: JobRecord,
    allow_dropped: bool,
    began: float,
) -> None:
    """Start the new version from `source`; if that fails, the one of `way_back` from the savepoint there."""
    _remember(runner, name, way_back)
    previous = way_back.previous
    if (
        way_back.version
        and way_back.savepoint
        and (previous is None or way_back.version.code != version.code)
    ):
        previous = PreviousVersion(way_back.version, way_back.savepoint)
    try:
        job_id = new.start(source, allow_dropped=allow_dropped)
        with runner.store.edit(name) as record:
            record.ids, record.previous = [], previous
            record.submitted(job_id, version)
        health.wait_until_healthy(
            runner.flink,
            name,
            job_id,
            runner.config.flink.healthy_after,
            lambda: print_progress(f"{name}: was away for {time.monotonic() - began:.1f} s"),
        )
        _settle(runner, name)
    except (Exception, KeyboardInterrupt) as error:
        print_progress(f"{name}: the other version is not healthy: {error!s}")
        try:
            _go_back(runner, name, way_back)
        except Exception as second:
            raise OperationError(
                f"{name}: neither version could be started. The savepoint is {way_back.savepoint}; `alerts "
                f"submit {name}` goes on from it with the old version. First: {error} Then: {second}"
            ) from second
        raise OperationError(
            f"{name}: the version before runs again. The other one failed: {error}"
        ) from error


def _go_back(runner: JobRunner, name: str, way_back: JobRecord) -> None:
    # From here on the old version is what is desired, whatever becomes of this command.
    _remember(runner, name, way_back)
    began = time.monotonic()
    failed = live_job(runner.flink, name)
    if failed is not None:
        savepoints.cancel(runner.flink, failed)
    job_id = runner.start(name, UpgradeMode.LAST_STATE, version=way_back.version)
    health.wait_until_healthy(
        runner.flink,
        name,
        job_id,
        runner.config.flink.healthy_after,
        lambda: print_progress(
            f"{name}: the version before runs again after {time.monotonic() - began:.1f} s"
        ),
    )
    _settle(runner, name)


def _remember(runner: JobRunner, name: str, way_back: JobRecord) -> None:
    """Note that the old version is desired, and goes on from its savepoint."""
    with runner.store.edit(name) as record:
        record.state = DesiredState.RUNNING
        record.version, record.previous = way_back.version, way_back.previous
        record.resume_from(way_back.savepoint)


def _settle(runner: JobRunner, name: str) -> None:
    """Note that a job has checkpoints of its own since it was replaced."""
    with runner.store.edit(name) as record:
        record.savepoint = None


def _stop(runner: JobRunner, job: Job) -> str:
    """Stop a job with a savepoint; return its address."""
    with runner.store.edit(job.name) as record:
        record.stopping = job.id
    try:
        return savepoints.stop(runner.flink, job)
    except SavepointError as error:
        with runner.store.edit(job.name) as record:
            record.stopping = None
        raise OperationError(f"{job.name}: goes on as it is; it could not be stopped: {error}") from error
    except FlinkUnreachableError as error:
        # It may have been asked all the same: the mark stays, by which it is known what to go on from.
        raise OperationError(
            f"{job.name}: whether it stops is not known. If it does, it is brought back from its savepoint; "
            f"see `alerts status`. {error}"
        ) from error


def _stop_or_cancel(runner: JobRunner, job: Job | None) -> str | None:
    """End a job that may be sick; return its savepoint, if one could be made."""
    if job is None:
        return None
    try:
        return _stop(runner, job)
    except OperationError as error:
        print_progress(f"{error}. Cancelling it")
        savepoints.cancel(runner.flink, job)
        return None


def _running(runner: JobRunner, name: str) -> tuple[Job, JobRecord, Version]:
    job, record = live_job(runner.flink, name), runner.store.read(name)
    if job is None:
        raise OperationError(f"{name}: does not run. Start it: alerts submit {name}")
    if record.version is None:
        raise OperationError(
            f"{name}: with what it was submitted is not known here. Stop it and submit it again."
        )
    return job, record, record.version
