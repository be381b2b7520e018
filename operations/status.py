"""`alerts status`: what runs, where its page is, lag, checkpoints, restarts."""

from typing import Any

from account_alerts.config import Config
from account_alerts.kafka import topics
from account_alerts.kafka.clients import KafkaUnreachableError
from account_alerts.service.clock import SYSTEM_CLOCK
from account_alerts.service.metrics import RULES_FALLBACK_WATERMARKS
from jobs.catalog import ALERTING, ANALYST_ALERTS, RULE, TEMPORAL_JOIN
from operations.analyst_rules import registry
from operations.flink.rest import FlinkRest, FlinkUnreachableError


def collect(config: Config, processes: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """Report everything about the environment, as `--json` prints it.

    `healthy` is true when all processes (of a local environment) run and are ready, Kafka and Flink answer,
    and all jobs run. Times are milliseconds UTC, memory is in bytes; what cannot be known is null.

    Args:
        config: The environment.
        processes: Those of a local environment, with at least `running` and `ready`.
        names: The jobs that are to run.
    """
    sizes = topics.sizes(config)
    jobs = _jobs(config, names)
    healthy = (
        all(process["running"] and process["ready"] for process in processes)
        and sizes is not None
        and jobs is not None
        and all(job["state"] == "RUNNING" for job in jobs)
    )
    return {
        "healthy": healthy,
        "environment": config.environment,
        "state_dir": str(config.local.state) if config.local else None,
        "processes": processes,
        "kafka": {
            "address": config.kafka.bootstrap_servers,
            "reachable": sizes is not None,
            "records": sizes or {},
        },
        "flink": {"page": config.flink.rest_url, "reachable": jobs is not None, "jobs": jobs or []},
    }


def rule_jobs(config: Config) -> list[str]:
    """Return the names of the jobs of analysts' rules that are started; none while Kafka does not answer."""
    try:
        started = sorted(registry.read(config).started)
    except KafkaUnreachableError:
        return []
    return [*([ANALYST_ALERTS] if started else []), *(RULE + name for name in started)]


def _jobs(config: Config, names: list[str]) -> list[dict[str, Any]] | None:
    rest = FlinkRest(config.flink.rest_url)
    try:
        known = rest.jobs()
        report: list[dict[str, Any]] = []
        for name in names:
            # A job that was cancelled and submitted again is listed twice: the living one counts.
            ours = sorted((job for job in known if job.name == name), key=lambda job: not job.live)
            if not ours:
                report.append({"name": name, "state": "NOT SUBMITTED", "id": None})
                continue
            job = ours[0]
            checkpoints = rest.checkpoints(job.id)
            latest = checkpoints["latest"]["completed"]
            report.append(
                {
                    "name": name,
                    # Flink says RUNNING as soon as it tries to place the tasks.
                    "state": "STARTING"
                    if job.state == "RUNNING" and not job.all_tasks_running
                    else job.state,
                    "id": job.id,
                    "page": f"{rest.url}/#/job/running/{job.id}/overview",
                    "started": job.started,
                    "restarts": rest.restarts(job.id) if job.live else None,
                    "lag": rest.total(job.id, "pendingRecords") if job.live else None,
                    "rules": _rules(rest, job.id) if name == ALERTING and job.live else None,
                    "checkpoints": {
                        "completed": checkpoints["counts"]["completed"],
                        "failed": checkpoints["counts"]["failed"],
                        "latest": latest["latest_ack_timestamp"] if latest else None,
                        "bytes": latest["state_size"] if latest else None,
                    },
                }
            )
    except FlinkUnreachableError:
        return None
    return report


def _rules(rest: FlinkRest, job_id: str) -> dict[str, int | None]:
    """Report how far bookings' rules are known.

    `lag`: milliseconds since the time up to which they are complete; `fallbacks`: how often bookings went on
    without waiting for them since the job's start.
    """
    known_until = rest.watermark(job_id, TEMPORAL_JOIN)
    return {
        "lag": None if known_until is None else max(0, SYSTEM_CLOCK.now_ms() - known_until),
        "fallbacks": rest.total(job_id, RULES_FALLBACK_WATERMARKS.name),
    }
