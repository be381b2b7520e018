"""The keeper: brings the jobs back after the JobManager died.

Locally there is no high availability: a restarted JobManager knows no jobs. The keeper, a process of the
environment like the others, sees that a job that is meant to run is unknown to the JobManager, and submits it
from its newest retained checkpoint. A job that was cancelled, or ended, is not brought back. It also ends the
job of an analysts' rule that is over its limit (`adhoc/guard.py`).
"""

import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

from account_alerts.config import load
from account_alerts.model.errors import OperationError
from devenv.job_control import state as job_state
from devenv.job_control.runner import bring_back as submit_again
from devenv.layout import Layout, layout
from jobs.catalog import JOBS
from operations.analyst_rules import guard
from operations.flink.rest import FlinkRest, FlinkUnreachableError
from operations.job_runner import AT_ONCE

_INTERVAL = 1.0
_LONGEST_INTERVAL = 30.0
_log = logging.getLogger("keeper")


def lost_jobs(state: Layout, rest: FlinkRest) -> list[str]:
    """The jobs that are meant to run and of which the JobManager knows nothing.

    Notes down which were cancelled or ended meanwhile: those are not meant to run any more.
    """
    listed = {job.id: job for job in rest.jobs()}
    lost = []
    with job_state.records(state) as records:
        for name, record in records.items():
            known = [listed[job_id] for job_id in record.ids if job_id in listed]
            if not record.wanted or any(job.live for job in known):
                continue
            ended = listed.get(record.ids[-1]) if record.ids else None
            # Whoever cancels a job wants its end, also after an upgrade that did not come about.
            to_go_on = ended is not None and record.stopping == ended.id and ended.state != "CANCELED"
            if ended is not None and not to_go_on:
                _log.info("%s is %s: not brought back", name, known[-1].state)
                record.wanted = False
            elif not any(job.name == name and job.live for job in listed.values()):
                lost.append(name)
    return sorted(lost, key=lambda name: name not in JOBS)  # The chain first.


def main(config_file: str) -> None:
    """Watch until stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    config = load(Path(config_file))
    state, rest = layout(config), FlinkRest(config.flink.rest_url)
    pause = _INTERVAL

    def bring_back(name: str) -> bool:
        _log.warning("%s is unknown to the JobManager: submitting it again", name)
        try:
            ran = job_state.read(state, name).config
            # With what it ran with, not with what the project's folder has become meanwhile.
            submit_again(load(Path(ran)) if ran else config, name)
        except Exception as error:  # The others must not be lost by one that cannot be brought back.
            _log.error("%s: %s", name, error, exc_info=not isinstance(error, OperationError))
            return False
        return True

    Thread(target=guard.watch, args=(config,), daemon=True).start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            try:
                # Without a TaskManager a submitted job could not run anyway.
                lost = lost_jobs(state, rest) if rest.slots() else []
            except FlinkUnreachableError as error:
                _log.debug("%s", error)
            else:
                succeeded = all(pool.map(bring_back, lost))
                pause = _INTERVAL if succeeded else min(2 * pause, _LONGEST_INTERVAL)
            time.sleep(pause)


if __name__ == "__main__":
    main(sys.argv[1])
