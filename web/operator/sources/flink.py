"""The jobs, by Flink's REST interface."""

from typing import Any

from account_alerts.config import Config
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from jobs.catalog import ALERTING, ANALYST_ALERTS, DEVICE_RESOLVER, REMINDERS, RULE
from operations.flink.rest import FlinkRest, Job
from web.operator.readings import Checkpoint, JobFigures

_HOUR_MS = 3_600_000


class FlinkSource:
    """Looks at the jobs; remembers checkpoints for an hour, of which Flink keeps the newest only."""

    def __init__(self, config: Config, flink: FlinkRest | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        """Prepare; nothing is asked yet."""
        self._flink, self._clock = flink or FlinkRest(config.flink.rest_url), clock
        self._wanted = [
            ALERTING,
            *([DEVICE_RESOLVER] if config.devices is not None else []),
            *([REMINDERS] if config.clicks is not None else []),
        ]
        self._checkpoints: dict[str, dict[int, Checkpoint]] = {}

    def look(self) -> tuple[JobFigures, ...]:
        """Ask for the jobs of the chain, and those of analysts' rules that run.

        Raises:
            FlinkUnreachableError: The JobManager does not answer.
        """
        known = self._flink.jobs()
        rules = sorted(
            job.name
            for job in known
            if job.live and (job.name == ANALYST_ALERTS or job.name.startswith(RULE))
        )
        return tuple(self._figures(name, known) for name in dict.fromkeys([*self._wanted, *rules]))

    def _figures(self, name: str, known: list[Job]) -> JobFigures:
        # A job that was cancelled and submitted again is listed twice: the living one counts.
        job = next(
            iter(sorted((job for job in known if job.name == name), key=lambda job: not job.live)), None
        )
        if job is None:
            return JobFigures(name, "NOT SUBMITTED")
        statistics = self._flink.checkpoints(job.id)
        starting = job.state == "RUNNING" and not job.all_tasks_running
        return JobFigures(
            name,
            "STARTING" if starting else job.state,
            self._flink.total(job.id, "pendingRecords") if job.live else None,
            self._flink.restarts(job.id) if job.live else None,
            self._failures(job.id),
            self._remember(name, statistics["history"]),
            int(statistics["counts"]["failed"]),
        )

    def _failures(self, job_id: str) -> tuple[int, ...]:
        answer = self._flink.get(f"/jobs/{job_id}/exceptions")
        return tuple(sorted(int(entry["timestamp"]) for entry in answer["exceptionHistory"]["entries"]))

    def _remember(self, name: str, history: list[dict[str, Any]]) -> tuple[Checkpoint, ...]:
        kept = self._checkpoints.setdefault(name, {})
        for entry in history:
            if entry["status"] == "COMPLETED" and not entry.get("is_savepoint"):
                at = int(entry["latest_ack_timestamp"])
                kept[at] = Checkpoint(at, int(entry["end_to_end_duration"]))
        oldest = self._clock.now_ms() - _HOUR_MS
        # The newest stays, however old it is: its age is what is asked for.
        for at in sorted(kept)[:-1]:
            if at < oldest:
                del kept[at]
        return tuple(kept[at] for at in sorted(kept))
