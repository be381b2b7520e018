"""Starting, pausing, resuming and stopping analysts' rules: each is a job of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from account_alerts.model.analyst_rule import Rule, RuleError
from account_alerts.model.errors import OperationError
from account_alerts.service.clock import SYSTEM_CLOCK
from jobs import catalog
from operations.analyst_rules import quarantine, registry
from operations.analyst_rules.registry import Registry, Started
from operations.flink import health, savepoints
from operations.flink.rest import FlinkUnreachableError, live_job, newest_job
from operations.job_runner import JobRunner
from operations.job_store import JobRecord, UpgradeMode
from operations.waiting import print_progress

_CLAIM = "rules"
"""One command at a time starts or stops rules; a crash releases it."""
_SAVEPOINT_SECONDS = 60.0


def start(runner: JobRunner, rules: Sequence[Rule]) -> int:
    """Submit each rule as a job of its own, and the job that finds the customers if it doesn't run.

    Returns when they run and have made a checkpoint: the time since which bookings raise alerts, that of the
    call, in milliseconds UTC.

    Raises:
        RuleError: One is started already, or there is no room on the local cluster.
        OperationError: A job cannot be submitted, or does not come up; then none of the rules is started.
    """
    with runner.claim(_CLAIM):
        live = {job.name for job in runner.flink.jobs() if job.live}
        _check(runner, rules, live)
        since = SYSTEM_CLOCK.now_ms()
        new = catalog.ANALYST_ALERTS not in live
        jobs = [*([catalog.ANALYST_ALERTS] if new else []), *(_job(rule.name) for rule in rules)]
        # Where nobody reconciles, no state of it is known; the cluster itself keeps its jobs.
        mode = UpgradeMode.LAST_STATE if runner.reconciles else UpgradeMode.STATELESS
        with ThreadPoolExecutor(1) as pool:
            try:
                files = {}
                for rule in rules:
                    started = Started.begin(rule, since)
                    files[_job(rule.name)] = _remember(runner, started)
                    registry.start(runner.config, started)
                other = pool.submit(runner.submit, [catalog.ANALYST_ALERTS], mode) if new else None
                runner.submit_rules(files, since)
                if other:
                    other.result()
                health.wait_for_checkpoints(runner.flink, jobs)
            except BaseException:
                for rule in rules:
                    _forget(runner, rule.name)
                raise
        return since


def _check(runner: JobRunner, rules: Sequence[Rule], live: set[str]) -> None:
    """Raise a `RuleError` if a rule is started already, or there is no room on the local cluster."""
    known = registry.read(runner.config)
    for rule in rules:
        if rule.name in known.started or _job(rule.name) in live:
            remedy = "" if _job(rule.name) in live else "; `alerts up` brings its job back"
            if rule.name in known.paused:
                remedy = ", and was paused by its limit; `alerts rules resume` or `discard` lets it go on"
            raise RuleError(
                f"{rule.name}: is started already{remedy}. `alerts rules stop {rule.name}` stops it; then it "
                "begins anew"
            )
    if not runner.reconciles:
        return  # A cluster elsewhere may have no slot until a job asks for one.
    needed = len(rules) * runner.config.analyst_rules.rule_parallelism
    needed += 0 if catalog.ANALYST_ALERTS in live else runner.config.analyst_rules.parallelism
    if (free := runner.flink.free_slots()) < needed:
        raise RuleError(
            f"{needed} slots are needed and {free} are free: stop another rule, or raise local.task_slots"
        )


def stop(runner: JobRunner, name: str) -> None:
    """Cancel a rule's job; its quarantined alerts stay where they are.

    Raises:
        RuleError: It is not started.
    """
    with runner.claim(_CLAIM):
        live = live_job(runner.flink, _job(name))
        if name not in registry.read(runner.config).started and live is None:
            raise RuleError(f"{name}: is not started. See `alerts rules list`")
        _forget(runner, name)


def resume(runner: JobRunner, name: str) -> int:
    """Send a rule's quarantined alerts, and let the rule go on; return how many there were.

    Was its job paused because of the limit, it is started again where it stopped: what was booked since then
    raises alerts.

    Raises:
        RuleError: No alerts of it are quarantined, and the rule is not started.
        OperationError: The rule's job does not come up; the alerts are sent all the same.
    """
    return _decide(runner, name, discard=False)


def discard(runner: JobRunner, name: str) -> int:
    """Give up a rule's quarantined alerts, and let the rule go on; return how many there were.

    Was its job paused because of the limit, it is started again where it stopped: what was booked since then
    is given up, too, and only known to the rule.

    Raises:
        RuleError: No alerts of it are quarantined, and the rule is not started.
        OperationError: The rule's job does not come up; the alerts are given up all the same.
    """
    return _decide(runner, name, discard=True)


def _decide(runner: JobRunner, name: str, *, discard: bool) -> int:
    with runner.claim(_CLAIM):
        config = runner.config
        if not runner.reconciles:
            with suppress(FlinkUnreachableError):  # The alerts can be decided on all the same.
                _note_end(runner, registry.read(config), name)
        count = quarantine.discard(config, name) if discard else quarantine.send(config, name)
        known = registry.read(config)
        rule = known.started.get(name)
        if rule is not None and name in known.paused:
            if discard:
                rule = replace(rule, since=SYSTEM_CLOCK.now_ms())
                registry.start(config, rule)
            with runner.store.edit(_job(name)) as record:
                record.options = _options(rule, _write(runner, rule))
                record.resume_from(known.paused[name])
            mode = UpgradeMode.LAST_STATE if known.paused[name] else UpgradeMode.STATELESS
            runner.submit([_job(name)], mode)
            registry.resume(config, name)
        return count


def pause(runner: JobRunner, name: str, is_over: Callable[[Registry], bool]) -> bool:
    """End the job of a rule that is over its limit, with a savepoint to go on from; return whether it was.

    Args:
        runner: The cluster.
        name: The rule.
        is_over: Whether it is still so, by what is known of the rules when nobody else changes it.

    Raises:
        OperationError: Its job does not end.
        FlinkUnreachableError: Flink does not answer.
    """
    with runner.claim(_CLAIM):
        known = registry.read(runner.config)
        if name not in known.started or not is_over(known):
            return False
        job = live_job(runner.flink, _job(name))
        if job is None:
            # The reconciler brings back a job whose end nobody noted.
            return not runner.reconciles and _note_end(runner, known, name)
        # Whoever is submitting it just now, such as the reconciler, is waited for.
        with runner.claim(job.name):
            with runner.store.edit(job.name) as record:
                record.stopping = job.id
            state = savepoints.stop_or_cancel(runner.flink, job, _SAVEPOINT_SECONDS)
            registry.pause(runner.config, name, state)
            runner.store.suspend(job.name)
        return True


def _note_end(runner: JobRunner, known: Registry, name: str) -> bool:
    """Note a job's end that nobody noted, as Flink's answer reached nobody; return whether there was one."""
    rule, job = known.started.get(name), newest_job(runner.flink, _job(name))
    if rule is None or name in known.paused or job is None or job.state not in ("FINISHED", "CANCELED"):
        return False
    if job.started < rule.since:  # Of an earlier start.
        return False
    registry.pause(runner.config, name, savepoints.final_state(runner.flink, job))
    return True


def bring_up(runner: JobRunner) -> None:
    """Submit what started rules need and what does not run; one that can't be does no harm to the others.

    One that its limit paused stays so.
    """
    with runner.claim(_CLAIM):
        known = registry.read(runner.config)
        if not known.started:
            return
        started = {name: rule for name, rule in known.started.items() if name not in known.paused}
        for rule in started.values():
            _remember(runner, rule)
        live = {job.name for job in runner.flink.jobs() if job.live}
        for job in (catalog.ANALYST_ALERTS, *(_job(name) for name in sorted(started))):
            if job in live:
                continue
            try:
                runner.submit([job], UpgradeMode.LAST_STATE)
                health.wait_for_checkpoints(runner.flink, [job])
            except OperationError as error:
                print_progress(f"{job}: does NOT run: {error}")


def _remember(runner: JobRunner, rule: Started) -> Path:
    """Keep the rule as it is started, where no one edits it; return the file."""
    file = _write(runner, rule)
    options = _options(rule, file)
    with runner.store.records() as records:
        if records.get(_job(rule.name), JobRecord()).options != options:
            records[_job(rule.name)] = JobRecord(options=options)  # It begins anew.
    return file


def _write(runner: JobRunner, rule: Started) -> Path:
    file = runner.store.folder.rules / str(rule.since) / f"{rule.name}.sql"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rule.sql, encoding="utf-8")
    return file


def _options(rule: Started, file: Path) -> list[str]:
    return ["--rule", str(file), "--since", str(rule.since)]


def _forget(runner: JobRunner, name: str) -> None:
    """Note that a rule is stopped, and cancel its job."""
    registry.stop(runner.config, name)
    runner.store.suspend(_job(name))
    # Whoever is submitting it just now, such as the reconciler, is waited for; the next finds it suspended.
    with runner.claim(_job(name)):
        while (job := live_job(runner.flink, _job(name))) is not None:
            savepoints.cancel(runner.flink, job)
            print_progress(f"{name}: stopped")


def _job(name: str) -> str:
    return catalog.RULE + name
