"""Resubmits the jobs that are desired to run and that the JobManager has lost.

Locally there is no high availability: a restarted JobManager knows no jobs. The reconciler, a process of the
environment like the others, sees that a job is missing, and submits it from its newest retained checkpoint. A
job that was cancelled, or ended, is not brought back. It also pauses the analysts' rules that are over their
limit (`operations/analyst_rules/guard.py`), and does what is asked for on their page (`worker.py`).
"""

import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Thread

from account_alerts.config import load
from account_alerts.model.errors import OperationError
from account_alerts.service.process import configure_logging
from devenv.job_control.runner import LocalJobRunner
from jobs.catalog import JOBS
from operations.analyst_rules import guard, worker
from operations.flink.rest import FlinkApi, FlinkRest, FlinkUnreachableError
from operations.job_runner import AT_ONCE
from operations.job_store import DesiredState, JobStore

_INTERVAL = 1.0
_LONGEST_INTERVAL = 30.0
_log = logging.getLogger("reconciler")


def missing_jobs(store: JobStore, flink: FlinkApi) -> list[str]:
    """Return the jobs that are desired to run and of which the JobManager knows nothing.

    Suspends those that were cancelled or ended meanwhile.
    """
    listed = {job.id: job for job in flink.jobs()}
    missing = []
    with store.records() as records:
        for name, record in records.items():
            known = [listed[job_id] for job_id in record.ids if job_id in listed]
            if record.state == DesiredState.SUSPENDED or any(job.live for job in known):
                continue
            ended = listed.get(record.ids[-1]) if record.ids else None
            # Whoever cancels a job wants its end, also after an upgrade that did not come about.
            stopped = ended is not None and record.stopping == ended.id and ended.state != "CANCELED"
            if ended is not None and not stopped:
                _log.info("%s is %s: not brought back", name, ended.state)
                record.state = DesiredState.SUSPENDED
            elif not any(job.name == name and job.live for job in listed.values()):
                missing.append(name)
    return sorted(missing, key=lambda name: name not in JOBS)  # The chain first.


def resubmit(runner: LocalJobRunner, name: str) -> bool:
    """Submit a missing job again; return whether that needs no second try."""
    try:
        with runner.claim(name):
            # Whoever had it claimed may have submitted it: an upgrade lets no job run for a moment.
            if name in missing_jobs(runner.store, runner.flink):
                _log.warning("%s is unknown to the JobManager: submitting it again", name)
                runner.resubmit(name)
    except Exception as error:  # The others must not be lost by one that cannot be brought back.
        _log.error("%s: %s", name, error, exc_info=not isinstance(error, OperationError))
        return False
    return True


def main(config_file: str) -> None:
    """Reconcile until stopped."""
    configure_logging()
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # It tells of each request.
    config = load(Path(config_file))
    flink = FlinkRest(config.flink.rest_url)
    runner = LocalJobRunner(config, flink)
    pause = _INTERVAL

    Thread(target=guard.watch, args=(runner,), daemon=True).start()
    if config.bank is not None:
        Thread(target=worker.watch, args=(config,), daemon=True).start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            try:
                # Without a TaskManager a submitted job could not run anyway.
                missing = missing_jobs(runner.store, flink) if flink.slots() else []
            except FlinkUnreachableError as error:
                _log.debug("%s", error)
            else:
                succeeded = all(pool.map(partial(resubmit, runner), missing))
                pause = _INTERVAL if succeeded else min(2 * pause, _LONGEST_INTERVAL)
            time.sleep(pause)


if __name__ == "__main__":
    main(sys.argv[1])
