"""`alerts status`: what runs, where its page is, lag, checkpoints, restarts."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil

from account_alerts.config import Config
from account_alerts.kafka.clients import KafkaUnreachableError
from devenv import supervise
from devenv.job_control import state
from devenv.layout import Layout
from devenv.services import catalog
from jobs.catalog import ADHOC, JOBS, RULE, WHOLE
from operations.analyst_rules import registry

CHAIN = ("kafka", "jobmanager", "taskmanager", "keeper")
"""The programs that always belong to a local environment."""


def _processes(config: Config, layout: Layout) -> list[dict[str, Any]]:
    found = supervise.processes(layout)
    restarts = supervise.restarts(layout)
    names = supervise.programs(layout) or CHAIN
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


def _names(config: Config) -> list[str]:
    """The chain's jobs, those of its ends that are wanted, and those of analysts' rules that are started."""
    place = Layout(config.local.state) if config.local else None
    ends = [name for name in WHOLE if name not in JOBS and place and state.read(place, name).wanted]
    try:
        started = sorted(registry.read(config).started)
    except KafkaUnreachableError:
        return [*JOBS, *ends]
    return [*JOBS, *ends, *([ADHOC] if started else []), *(RULE + name for name in started)]
