"""The processes of the local environment, and the jobs that are to run in it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from account_alerts.config import Config
from devenv import supervise
from devenv.layout import layout
from devenv.services import catalog
from jobs.catalog import FULL, JOBS
from operations.job_store import DesiredState, JobStore
from operations.status import rule_jobs

CHAIN = ("kafka", "jobmanager", "taskmanager", "reconciler")
"""The programs that always belong to a local environment."""


def processes(config: Config) -> list[dict[str, Any]]:
    """Return what each program of the environment does: whether it runs and is ready, its memory in bytes."""
    state = layout(config)
    found = supervise.processes(state)
    restarts = supervise.restarts(state)
    names = supervise.programs(state) or CHAIN
    with ThreadPoolExecutor() as pool:
        asked = {
            service.program: pool.submit(service.ready, config)
            for service in catalog.SERVICES
            if service.program in names and service.program in found
        }
    report = []
    for name in (supervise.SUPERVISOR, *names):
        # The oldest is the program itself; the others are its helpers, such as Python workers.
        group = sorted(found.get(name, []), key=_started)
        report.append(
            {
                "name": name,
                "running": bool(group),
                "ready": bool(group) and (name not in asked or asked[name].result()),
                "pid": group[0].pid if group else None,
                "started": round(_started(group[0]) * 1000) if group else None,
                "memory": sum(_memory(process) for process in group) if group else None,
                "restarts": restarts.get(name, 0),
            }
        )
    return report


def _started(process: psutil.Process) -> float:
    try:
        return float(process.create_time())
    except psutil.Error:
        return time.time()


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def job_names(config: Config) -> list[str]:
    """Return the names of the jobs that are to run here.

    Those are the chain's, those of ingestion and delivery that are desired, and those of analysts' rules that
    are started.
    """
    store = JobStore(layout(config).run_folder)
    others = [name for name in FULL if name not in JOBS and store.read(name).state == DesiredState.RUNNING]
    return [*JOBS, *others, *rule_jobs(config)]
