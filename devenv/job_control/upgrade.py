"""`alerts upgrade` and `alerts rollback`: another version of a job, from a savepoint of the one that runs.

All that takes long is done while the old version still works: the new one is planned by a client that then
waits. If it doesn't fit the state, nothing has been stopped; if it doesn't become healthy, the old one takes
over again. From the moment the job is stopped until the other version runs it is noted where to go on from:
if this command is killed, the keeper starts the old version again.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from account_alerts.config import PROJECT, Config, load
from account_alerts.model.errors import OperationError
from devenv.interruption import interruptible
from devenv.job_control import runner, state, state_compatibility, versions
from devenv.job_control.state import JobRecord
from devenv.layout import Layout, layout
from jobs import catalog
from operations.flink import health
from operations.flink.rest import FlinkRefusedError, FlinkRest, FlinkUnreachableError, Job, SavepointError
from operations.flink.run import Attempt, Version, keep_config
from operations.waiting import say, wait_for

_PLAN_SECONDS = 180.0
_STOP_SECONDS = 300.0
_T = TypeVar("_T")


@dataclass
class Prepared:
    """A client that has planned a version and waits for the savepoint to start it from."""

    name: str
    attempt: Attempt
    process: "subprocess.Popen[str]"
    go: Path

    @property
    def version(self) -> Version:
        """What it would start; only once it is planned."""
        return self.attempt.version(self.name)

    def planned(self) -> bool:
        """Whether it only waits."""
        if self.process.poll() is not None:
            self.attempt.ids(self.process)  # Says why it ended.
        return (self.attempt.operators / f"{self.name}.json").exists()

    def start(self, savepoint: Path, *, drop: bool) -> str:
        """Let it submit the job; returns the job's id."""
        temporary = self.go.with_suffix(".part")
        temporary.write_text(json.dumps({"savepoint": savepoint.as_uri(), "drop": drop}))
        temporary.rename(self.go)
        return self.attempt.ids(self.process)[0]

    def discard(self) -> None:
        """Stop it, unless it has submitted."""
        self.process.terminate()
        self.process.wait()


def upgrade(config: Config, name: str, code: Path = PROJECT, dropped: Sequence[str] = ()) -> None:
    """Replace a running job by another version of it.

    Args:
        config: The environment, with the values the new version is to have.
        name: The job's name.
        code: The folder of a project with the new version.
        dropped: Operators whose state may be lost.

    Raises:
        OperationError: It does not run, does not fit (then it goes on as it was), or did not become healthy
            (then the old version runs again).
    """
    place, rest = layout(config), FlinkRest(config.flink.rest_url)
    with runner.submitting(place, name), interruptible():
        job, record = _running(rest, name), _known(place, name)
        stored, before = versions.store(place, code), Path(record.code or PROJECT)
        others = versions.not_carried(before, stored)
        if others:
            say(
                f"{name}: {', '.join(others)} differ, too; TaskManagers that run keep theirs until "
                "`alerts down` and `alerts up`"
            )
        new = _prepare(config, place, name, stored)
        try:
            _plan(new)
            operators = record.operators or {}
            reasons = state_compatibility.misfits(operators, new.version.operators, dropped)
            reasons += state_compatibility.useless(operators, new.version.operators, dropped)
            if reasons:
                raise OperationError(
                    f"{name}: goes on as it is; it cannot be upgraded:\n"
                    + "\n".join(reasons)
                    + "\ndocs/upgrades.md says how to begin anew instead."
                )
            for operator in state_compatibility.newcomers(operators, new.version.operators):
                say(f"{name}: {operator} is new and begins without state")
            began = time.monotonic()
            savepoint = _stop(rest, job, place)
            _replace(rest, place, savepoint, savepoint, new, record, bool(dropped), began)
        finally:
            new.discard()
        versions.prune(place, state.used_versions(place))
    say(f"{name}: upgraded. `alerts rollback {name}` goes back (savepoint {savepoint})")


def rollback(config: Config, name: str) -> None:
    """Replace a job by the version that ran before its last upgrade, with the configuration it had.

    It goes on from a savepoint of the version that runs, where that fits; else, or where none can be made,
    from the one of the upgrade: then what came since is worked on again, and its alerts come again with the
    same ids.

    Raises:
        OperationError: There is no version before, or it did not become healthy.
    """
    place, rest = layout(config), FlinkRest(config.flink.rest_url)
    with runner.submitting(place, name), interruptible():
        record, job = state.read(place, name), rest.live_job(name)
        former = record.former
        if former is None or not Path(former["code"]).is_dir():
            raise OperationError(
                f"{name}: no version before is known. `alerts upgrade {name} --code FOLDER`."
            )
        new = _prepare(load(Path(former["config"])), place, name, Path(former["code"]))
        try:
            _plan(new)
            operators = record.operators or {}
            # What the newer version alone has may go: it has no meaning for the older one.
            added = operators.keys() - new.version.operators.keys()
            reasons = state_compatibility.misfits(operators, new.version.operators, added)
            reasons += state_compatibility.misfits(new.version.operators, operators, operators.keys())
            began = time.monotonic()
            savepoint = _stop_or_cancel(rest, job, place)
            source = savepoint
            if reasons or source is None:
                say("\n".join([f"{name}: what it knows now cannot be used", *reasons]))
                say(f"{name}: goes back to the savepoint of the upgrade; alerts since come again, same ids")
                source = Path(former["savepoint"])
            _replace(rest, place, source, savepoint or source, new, record, bool(added), began)
        finally:
            new.discard()
    say(f"{name}: rolled back")


def _replace(
    rest: FlinkRest,
    place: Layout,
    source: Path,
    way_back: Path,
    new: Prepared,
    record: JobRecord,
    drop: bool,
    began: float,
) -> None:
    """Start the new version from `source`; take the old one back from `way_back` if that fails."""
    name, old = new.name, None
    state.stopped(place, name, way_back)
    former = record.former
    if record.code and record.config and (Path(record.code) != new.attempt.code or former is None):
        former = {"code": record.code, "config": record.config, "savepoint": str(way_back)}
    try:
        job_id = new.start(source, drop=drop)
        state.replaced(place, name, job_id, new.version, former)
        health.wait_until_running(rest, name, job_id)
        say(f"{name}: was away for {time.monotonic() - began:.1f} s")
        # Ready to come back, while the new one is watched.
        old = _prepare_old(place, name, record)
        health.wait_until_healthy(rest, name, job_id)
        state.settled(place, name)
    except (Exception, KeyboardInterrupt) as error:
        say(f"{name}: the other version is not healthy: {error!s}")
        try:
            _take_back(rest, place, way_back, old or _prepare_old(place, name, record), record)
        except Exception as second:
            raise OperationError(
                f"{name}: neither version could be started. The savepoint is {way_back}; `alerts submit "
                f"{name}` goes on from it with the old version. First: {error} Then: {second}"
            ) from second
        raise OperationError(
            f"{name}: the version before runs again. The other one failed: {error}"
        ) from error
    finally:
        if old is not None:
            old.discard()


def _take_back(rest: FlinkRest, place: Layout, savepoint: Path, old: Prepared, record: JobRecord) -> None:
    name, began = old.name, time.monotonic()
    # From here on the old version is what is wanted, whatever becomes of this command.
    state.goes_back(place, name, record, savepoint)
    failed = rest.live_job(name)
    if failed is not None:
        _cancel(rest, failed)
    _plan(old)
    version = old.version
    job_id = old.start(savepoint, drop=False)
    state.replaced(place, name, job_id, version, record.former)
    health.wait_until_running(rest, name, job_id)
    say(f"{name}: the version before runs again after {time.monotonic() - began:.1f} s")
    health.wait_until_healthy(rest, name, job_id)
    state.settled(place, name)


def _prepare(config: Config, place: Layout, name: str, code: Path, label: str = "new") -> Prepared:
    """Let a client plan a version, and wait when it has."""
    go = place.tmp / f"{name}-{label}-{os.getpid()}.json"
    go.unlink(missing_ok=True)
    attempt = Attempt(place, f"{name}-{label}", code, keep_config(config, place))
    waiting = ("--savepoint-in", str(go), "--asked-by", str(os.getpid()))
    return Prepared(name, attempt, attempt.client(catalog.file_of(name), [], *waiting), go)


def _prepare_old(place: Layout, name: str, record: JobRecord) -> Prepared:
    """The version that runs, ready to come back."""
    if not (record.code and record.config and Path(record.code).is_dir()):
        raise OperationError(
            f"{name}: with what it was submitted is not known. Cancel it and submit it again."
        )
    return _prepare(load(Path(record.config)), place, name, Path(record.code), "old")


def _plan(prepared: Prepared) -> None:
    say(f"{prepared.name}: planning {prepared.attempt.code.name}")
    wait_for(f"{prepared.name}: planned", prepared.planned, _PLAN_SECONDS, f"See {prepared.attempt.output}")


def _stop(rest: FlinkRest, job: Job, place: Layout) -> Path:
    """Stop a job with a savepoint; returns the savepoint's folder."""
    say(f"{job.name}: stopping with a savepoint")
    state.stopping(place, job.name, job.id)
    try:
        request = rest.stop_with_savepoint(job.id, place.savepoints.as_uri())
        location = wait_for(
            f"{job.name}: savepoint",
            patient(lambda: rest.savepoint(job.id, request)),
            _STOP_SECONDS,
            f"Look at {rest.url}, and for the savepoint in {place.savepoints}.",
        )
    except (FlinkRefusedError, SavepointError) as error:
        state.stopping(place, job.name, None)
        raise OperationError(f"{job.name}: goes on as it is; it could not be stopped: {error}") from error
    except FlinkUnreachableError as error:
        # It may have been asked all the same: the mark stays, by which the keeper knows what to go on from.
        raise OperationError(
            f"{job.name}: whether it stops is not known. If it does, it is brought back from its savepoint; "
            f"see `alerts status`. {error}"
        ) from error
    return Path(unquote(urlsplit(location).path))


def _stop_or_cancel(rest: FlinkRest, job: Job | None, place: Layout) -> Path | None:
    """End a job that may be sick; returns its savepoint, if one could be made."""
    if job is None:
        return None
    try:
        return _stop(rest, job, place)
    except OperationError as error:
        say(f"{error}. Cancelling it")
        _cancel(rest, job)
        return None


def _cancel(rest: FlinkRest, job: Job) -> None:
    rest.cancel(job.id)
    ended = patient(lambda: all(each.id != job.id or not each.live for each in rest.jobs()))
    wait_for(f"{job.name}: cancelled", ended, 60, f"Look at {rest.url}.")


def patient(check: Callable[[], _T | None]) -> Callable[[], _T | None]:
    """The check, for which no answer from Flink is no answer yet."""

    def checked() -> _T | None:
        try:
            return check()
        except FlinkUnreachableError:
            return None

    return checked


def _running(rest: FlinkRest, name: str) -> Job:
    job = rest.live_job(name)
    if job is None:
        raise OperationError(f"{name}: does not run. Start it: alerts submit {name}")
    return job


def _known(place: Layout, name: str) -> JobRecord:
    record = state.read(place, name)
    if record.operators is None:
        raise OperationError(f"{name}: what holds state in it is not known. Cancel it and submit it again.")
    return record
