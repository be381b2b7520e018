"""Starting and stopping analysts' rules: each is a job of its own."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule, RuleError
from account_alerts.model.errors import OperationError
from devenv.job_control import runner
from devenv.job_control import state as job_state
from devenv.layout import Layout
from jobs import catalog
from operations import job_runner
from operations.analyst_rules import quarantine, registry
from operations.analyst_rules.registry import Registry, Started
from operations.flink import health, savepoints
from operations.flink.rest import LIVE, FlinkRest, FlinkUnreachableError
from operations.waiting import say, wait_for

_SECONDS = 60.0


def start(config: Config, rules: Sequence[Rule]) -> int:
    """Submit each rule as a job of its own, and the job that finds the customers if it doesn't run.

    Returns when they run and have made a checkpoint: the time since which bookings raise alerts, that of the
    call, in milliseconds UTC.

    Raises:
        RuleError: One is started already, or there is no room on the cluster.
        OperationError: A job cannot be submitted, or does not come up; then none of the rules is started.
    """
    with _alone(config):
        return _start(config, rules)


def _start(config: Config, rules: Sequence[Rule]) -> int:
    rest = FlinkRest(config.flink.rest_url)
    live = {job.name for job in rest.jobs() if job.live}
    known = registry.read(config)
    for rule in rules:
        if rule.name in known.started or _job(rule.name) in live:
            cure = "" if _job(rule.name) in live else "; `alerts up` brings its job back"
            if rule.name in known.halted:
                cure = ", and was stopped by its limit; `alerts rules resume` or `discard` lets it go on"
            raise RuleError(
                f"{rule.name}: is started already{cure}. `alerts rules stop {rule.name}` stops it; then it "
                "begins anew"
            )
    needed = len(rules) * config.analyst_rules.rule_parallelism
    needed += 0 if catalog.ADHOC in live else config.analyst_rules.parallelism
    if (free := rest.free_slots()) < needed:
        raise RuleError(
            f"{needed} slots are needed and {free} are free: stop another rule, or add TaskManagers "
            "(here: local.task_slots)"
        )
    since = int(time.time() * 1000)
    new = catalog.ADHOC not in live
    jobs = [*([catalog.ADHOC] if new else []), *(_job(rule.name) for rule in rules)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as pool:
        try:
            files = {}
            for rule in rules:
                files[_job(rule.name)] = _remember(config, Started.of(rule, since), Path(folder))
                registry.start(config, Started.of(rule, since))
            # Elsewhere nothing is known to go on from; the cluster itself keeps its jobs.
            resume = config.local is not None
            other = pool.submit(job_runner.submit, config, [catalog.ADHOC], resume=resume) if new else None
            job_runner.submit_rules(config, files, since)
            if other:
                other.result()
            health.wait_for_checkpoints(config, jobs)
        except BaseException:
            for rule in rules:
                _forget(config, rule.name)
            raise
    return since


def stop(config: Config, name: str) -> None:
    """Cancel a rule's job; what it holds back stays held.

    Raises:
        RuleError: It is not started.
    """
    with _alone(config):
        live = FlinkRest(config.flink.rest_url).live_job(_job(name))
        if name not in registry.read(config).started and live is None:
            raise RuleError(f"{name}: is not started. See `alerts rules list`")
        _forget(config, name)


def decide(config: Config, name: str, *, release: bool) -> int:
    """Send a rule's held alerts, or give them up, and let the rule go on; returns how many there were.

    Was its job ended because of the limit, it is started again where it stopped. What was booked since then
    raises alerts after a release; after a drop it is given up, too, and only known to the rule.

    Raises:
        RuleError: There is nothing held, and the rule is not started.
        OperationError: The rule's job does not come up; the alerts are decided on all the same.
    """
    with _alone(config):
        if config.local is None:
            with suppress(FlinkUnreachableError):  # The alerts can be decided on all the same.
                _note_end(config, registry.read(config), name)
        count = quarantine.release(config, name) if release else quarantine.drop(config, name)
        known = registry.read(config)
        rule = known.started.get(name)
        if rule is not None and name in known.halted:
            if not release:
                rule = replace(rule, since=int(time.time() * 1000))
                registry.start(config, rule)
            _go_on(config, rule, known.halted[name])
            registry.goes_on(config, name)
        return count


def _go_on(config: Config, rule: Started, state: str | None) -> None:
    """Start a rule's job again from its state."""
    job = _job(rule.name)
    if config.local is None:
        with tempfile.TemporaryDirectory() as folder:
            file = _write(rule, Path(folder))
            job_runner.submit_rules(config, {job: file}, rule.since, savepoints.restored(state))
        return
    place = Layout(config.local.state)
    file = _write(rule, place.rules)
    job_state.goes_on_from(place, job, _options(rule, file), savepoints.folder(state))
    job_runner.submit(config, [job])


def halt(config: Config, name: str, is_over: Callable[[Registry], bool]) -> bool:
    """End the job of a rule that is over its limit, with a savepoint to go on from; whether it was.

    Args:
        config: The environment.
        name: The rule.
        is_over: Whether it is still so, by what is known of the rules when nobody else changes it.

    Raises:
        OperationError: Its job does not end.
        FlinkUnreachableError: Flink does not answer.
    """
    with _alone(config):
        known, rest = registry.read(config), FlinkRest(config.flink.rest_url)
        if name not in known.started or not is_over(known):
            return False
        job = rest.live_job(_job(name))
        if config.local is None:
            if job is None:
                return _note_end(config, known, name)
            registry.halt(config, name, savepoints.end(rest, job))
            return True
        if job is None:
            return False
        place = Layout(config.local.state)
        # Whoever is submitting it just now, such as the keeper, is waited for; the next finds it unwanted.
        with runner.submitting(place, job.name):
            job_state.stopping(place, job.name, job.id)
            registry.halt(config, name, savepoints.end(rest, job))
            job_state.unwanted(place, job.name)
        return True


def _note_end(config: Config, known: Registry, name: str) -> bool:
    """Note a job's end that nobody noted: Flink's answer reached nobody; whether there was one.

    In the local environment the keeper brings such a job back.
    """
    rest, rule = FlinkRest(config.flink.rest_url), known.started.get(name)
    job = rest.newest_job(_job(name))
    if rule is None or name in known.halted or job is None or job.state not in ("FINISHED", "CANCELED"):
        return False
    if job.started < rule.since:  # Of an earlier start.
        return False
    registry.halt(config, name, savepoints.ended_with(rest, job))
    return True


def bring_up(config: Config) -> None:
    """Submit what started rules need and what does not run; one that can't be does no harm to the others.

    One that its limit stopped stays so.
    """
    with _alone(config):
        known = registry.read(config)
        started = {name: rule for name, rule in known.started.items() if name not in known.halted}
        if not known.started:
            return
        place = Layout(config.local_environment().state)
        for rule in started.values():
            _remember(config, rule, place.rules)
        live = {job.name for job in FlinkRest(config.flink.rest_url).jobs() if job.live}
        for job in (catalog.ADHOC, *(_job(name) for name in sorted(started))):
            if job in live:
                continue
            try:
                job_runner.submit(config, [job])
                health.wait_for_checkpoints(config, [job])
            except OperationError as error:
                say(f"{job}: does NOT run: {error}")


def report(config: Config, rules: list[Rule], on_broken: Callable[[str], None]) -> list[dict[str, object]]:
    """A line for each rule there is: of a file, started, or with alerts that are held."""
    known = registry.read(config)
    waiting = quarantine.counts(config, known)
    states = _states(config, on_broken)
    lines: list[dict[str, object]] = []
    of_files = {rule.name: rule for rule in rules}
    for name in sorted({*of_files, *known.started, *waiting}):
        rule = known.started.get(name) or of_files.get(name)
        lines.append(
            {
                "name": name,
                "about": rule.about if rule else "",
                "per_minute": rule.per_minute if rule else None,
                "state": _state(name, known, waiting[name], states),
                "since": known.started[name].since if name in known.started else None,
                "held": waiting[name],
            }
        )
    return lines


def _state(name: str, known: Registry, waiting: int, states: dict[str, str]) -> str:
    if name not in known.started:
        return "RUNS THOUGH STOPPED" if states.get(_job(name)) in LIVE else "not started"
    state = states.get(_job(name), "")
    if state not in LIVE and (waiting or name in known.halted):
        return "stopped by its limit"
    return {"RUNNING": "runs"}.get(state, "does not run")


def _states(config: Config, on_broken: Callable[[str], None]) -> dict[str, str]:
    try:
        return {job.name: job.state for job in reversed(FlinkRest(config.flink.rest_url).jobs())}
    except FlinkUnreachableError as error:
        on_broken(str(error))
        return {}


def _remember(config: Config, rule: Started, folder: Path) -> Path:
    """Keep the rule as it is started, where no one edits it; returns the file.

    A local environment keeps it with its state; elsewhere the cluster has it when it is submitted.
    """
    place = None if config.local is None else Layout(config.local.state)
    file = _write(rule, place.rules if place else folder)
    options = _options(rule, file)
    if place and job_state.read(place, _job(rule.name)).options != options:
        job_state.asked(place, _job(rule.name), options)
    return file


def _write(rule: Started, folder: Path) -> Path:
    file = folder / str(rule.since) / f"{rule.name}.sql"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rule.sql, encoding="utf-8")
    return file


def _options(rule: Started, file: Path) -> list[str]:
    return ["--rule", str(file), "--since", str(rule.since)]


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """One command at a time starts or stops rules of a local environment; a crash releases it."""
    if config.local is None:
        yield
        return
    with runner.submitting(Layout(config.local.state), "rules"):
        yield


def _forget(config: Config, name: str) -> None:
    registry.stop(config, name)
    if config.local is None:
        _cancel(config, name)
        return
    place = Layout(config.local.state)
    job_state.unwanted(place, _job(name))
    # Whoever is submitting it just now, such as the keeper, is waited for; the next one finds it unwanted.
    with runner.submitting(place, _job(name)):
        _cancel(config, name)


def _cancel(config: Config, name: str) -> None:
    rest = FlinkRest(config.flink.rest_url)
    while (job := rest.live_job(_job(name))) is not None:
        rest.cancel(job.id)
        wait_for(
            f"{name}: stopped", lambda: rest.live_job(_job(name)) is None, _SECONDS, f"Look at {rest.url}."
        )
        say(f"{name}: stopped")


def _job(name: str) -> str:
    return catalog.RULE + name
