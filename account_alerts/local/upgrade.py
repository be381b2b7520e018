"""`alerts upgrade` and `alerts rollback`: another version of a job, from a savepoint of the one that runs.

All that takes long is done while the old version still works: the new one is planned by a client that then
waits for the savepoint. If the new version doesn't fit the state, nothing has been stopped; if it doesn't
become healthy, the old one takes over again.
"""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from account_alerts.config import PROJECT, Config
from account_alerts.flink_rest import FlinkRest, FlinkUnreachableError, Job
from account_alerts.local import fitting, job_state, submit, versions
from account_alerts.local.errors import LocalError
from account_alerts.local.layout import Layout, layout
from account_alerts.local.waiting import say, wait_for

_PLAN_SECONDS = 120.0
_SAVEPOINT_SECONDS = 300.0
HEALTHY_SECONDS = 120.0


@dataclass
class Prepared:
    """A client that has planned a version and waits for the savepoint to start it from."""

    layout: Layout
    name: str
    code: Path
    process: "subprocess.Popen[str]"
    operators: fitting.Operators
    go: Path

    def start(self, savepoint: str, drop: bool) -> str:
        """Let it submit the job; returns the job's id."""
        temporary = self.go.with_suffix(".part")
        temporary.write_text(json.dumps({"savepoint": savepoint, "drop": drop}))
        temporary.rename(self.go)
        [job_id] = submit.ids_of(self.layout, self.name, self.process)
        return job_id

    def discard(self) -> None:
        """Stop it; nothing was submitted."""
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
        LocalError: It does not run, does not fit (then it goes on as it was), or did not become healthy (then
            the old version runs again).
    """
    place, rest = layout(config), FlinkRest(config.flink.rest_url)
    job = _running(rest, name)
    record = _record(place, name)
    running_operators = _operators(place, name)
    prepared = _prepare(config, place, name, versions.store(place, code))
    reasons = fitting.misfits(running_operators, prepared.operators, dropped)
    if reasons:
        prepared.discard()
        _restore_operators(place, name, running_operators)
        raise LocalError(f"{name}: goes on as it is; it cannot be upgraded:\n" + "\n".join(reasons))
    for operator in fitting.newcomers(running_operators, prepared.operators):
        say(f"{name}: {operator} is new and begins without state")
    savepoint = _replace(rest, job, prepared, drop=bool(dropped), former=record.code, config=config)
    say(f"{name}: upgraded; `alerts rollback {name}` goes back to the version before (savepoint {savepoint})")


def rollback(config: Config, name: str) -> None:
    """Replace a running job by the version that ran before its last upgrade.

    It goes on from a savepoint of the version that runs, where that fits; else from the one made at the
    upgrade: then what came since is worked on again, and its alerts come again with the same ids.

    Raises:
        LocalError: There is no version before, or it did not become healthy.
    """
    place, rest = layout(config), FlinkRest(config.flink.rest_url)
    job = _running(rest, name)
    former = _record(place, name).former
    if former is None or not Path(former["code"]).is_dir():
        raise LocalError(
            f"{name}: no version before this one is known. `alerts upgrade {name} --code FOLDER`."
        )
    running_operators, running_code = _operators(place, name), _record(place, name).code
    prepared = _prepare(config, place, name, Path(former["code"]))
    # What the newer version alone has may go: it has no meaning for the older one.
    added = running_operators.keys() - prepared.operators.keys()
    reasons = fitting.misfits(running_operators, prepared.operators, added)
    reasons += [
        f"{each}: is not in the version that runs"
        for each in prepared.operators.keys() - running_operators.keys()
    ]
    source = None
    if reasons:
        say(f"{name}: what it knows now does not fit the version before:\n" + "\n".join(reasons))
        say(f"{name}: goes back to the savepoint of the upgrade; alerts since come again, with the same ids")
        source = former["savepoint"]
    _replace(rest, job, prepared, drop=bool(added), former=running_code, config=config, source=source)
    say(f"{name}: rolled back")


def _replace(
    rest: FlinkRest,
    job: Job,
    prepared: Prepared,
    *,
    drop: bool,
    former: str | None,
    config: Config,
    source: str | None = None,
) -> str:
    """Stop the job, start the prepared one, and take the former back if that fails; returns the savepoint."""
    name, place = prepared.name, prepared.layout
    began = time.monotonic()
    try:
        savepoint = _stop(rest, job, place)
    except BaseException:
        prepared.discard()
        raise
    try:
        job_id = prepared.start(source or savepoint, drop)
        job_state.upgraded(place, name, job_id, prepared.code, source or savepoint, former, savepoint)
        _wait_until_running(rest, name, job_id)
        say(f"{name}: was away for {time.monotonic() - began:.1f} s")
        _wait_until_healthy(rest, name, job_id)
    except LocalError as error:
        say(f"{name}: the new version is not healthy: {error}")
        prepared.discard()
        _take_back(config, place, rest, name, former, savepoint)
        raise LocalError(f"{name}: the version before runs again. The new one failed: {error}") from error
    return savepoint


def _take_back(
    config: Config, place: Layout, rest: FlinkRest, name: str, former: str | None, savepoint: str
) -> None:
    failed = rest.live_job(name)
    if failed is not None:
        rest.cancel(failed.id)
        wait_for(f"{name}: cancelled", lambda: rest.live_job(name) is None, 60, f"Look at {rest.url}.")
    code = Path(former) if former else PROJECT
    job_id = submit.submit_from(config, name, savepoint, code)
    job_state.upgraded(place, name, job_id, code, savepoint, None, None)
    _wait_until_running(rest, name, job_id)


def _prepare(config: Config, place: Layout, name: str, code: Path) -> Prepared:
    """Let a client plan a version; returns when it only waits for the savepoint."""
    say(f"{name}: planning the other version, while this one works")
    planned, go = place.operators / f"{name}.json", place.tmp / f"upgrade-{name}.json"
    running_operators = _operators(place, name)
    planned.unlink(missing_ok=True)
    go.unlink(missing_ok=True)
    config_file = submit.config_now(config, place, name)
    process = submit.client(place, name, submit.JOBS[name], [], config_file, code, "--savepoint-in", str(go))

    def ready() -> bool:
        if process.poll() is not None:
            submit.ids_of(place, name, process)  # Says why.
        return planned.exists()

    try:
        wait_for(f"{name}: planned", ready, _PLAN_SECONDS, f"See {place.logs}/submit-{name}.out")
    except BaseException:
        process.terminate()
        process.wait()
        _restore_operators(place, name, running_operators)
        raise
    return Prepared(place, name, code, process, _operators(place, name), go)


def _stop(rest: FlinkRest, job: Job, place: Layout) -> str:
    """Stop a job with a savepoint; returns the savepoint's address."""
    say(f"{job.name}: stopping with a savepoint")
    request = rest.stop_with_savepoint(job.id, place.savepoints.as_uri())

    def made() -> str | None:
        return rest.savepoint(job.id, request)

    try:
        return wait_for(f"{job.name}: savepoint", made, _SAVEPOINT_SECONDS, f"Look at {rest.url}.")
    except FlinkUnreachableError as error:
        raise LocalError(f"{job.name}: goes on as it is; no savepoint could be made: {error}") from error


def _wait_until_running(rest: FlinkRest, name: str, job_id: str) -> None:
    def running() -> bool:
        job = next((job for job in rest.jobs() if job.id == job_id), None)
        if job is not None and not job.live:
            raise LocalError(f"{name}: is {job.state}. {submit.reason(rest, job_id)}")
        if rest.restarts(job_id):
            raise LocalError(f"{name}: failed. {submit.reason(rest, job_id)}")
        return job is not None and job.state == "RUNNING" and job.all_tasks_running

    wait_for(f"{name}: running", running, HEALTHY_SECONDS, f"Look at {rest.url}.")


def _wait_until_healthy(rest: FlinkRest, name: str, job_id: str) -> None:
    """A checkpoint that was asked for after all tasks ran, and no failure until then."""
    rest.trigger_checkpoint(job_id)

    def healthy() -> bool:
        if rest.restarts(job_id):
            raise LocalError(f"{name}: failed. {submit.reason(rest, job_id)}")
        return int(rest.checkpoints(job_id)["counts"]["completed"]) > 0

    wait_for(f"{name}: first checkpoint", healthy, HEALTHY_SECONDS, f"Look at {rest.url}.")


def _running(rest: FlinkRest, name: str) -> Job:
    job = rest.live_job(name)
    if job is None:
        raise LocalError(f"{name}: does not run. Start it: alerts submit {name}")
    return job


def _record(place: Layout, name: str) -> job_state.JobRecord:
    with job_state.records(place) as records:
        return records.get(name, job_state.JobRecord())


def _operators(place: Layout, name: str) -> fitting.Operators:
    file = place.operators / f"{name}.json"
    if not file.exists():
        raise LocalError(f"{name}: what holds state in it is not known. Cancel it and submit it again.")
    found: fitting.Operators = json.loads(file.read_text())
    return found


def _restore_operators(place: Layout, name: str, operators: fitting.Operators) -> None:
    (place.operators / f"{name}.json").write_text(json.dumps(operators, indent=1))
