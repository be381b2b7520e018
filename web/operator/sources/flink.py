"""The jobs, by Flink's REST interface."""

from collections.abc import Callable, Mapping
from typing import Any

from account_alerts.config import Config
from account_alerts.service.clock import SYSTEM_CLOCK, Clock
from jobs.catalog import ALERTING, ANALYST_ALERTS, DEVICE_RESOLVER, REMINDERS, RULE
from operations.flink.rest import FlinkRest, FlinkUnreachableError, Job
from web.operator.readings import UNREACHABLE, Checkpoint, JobFigures

_HOUR_MS = 3_600_000


class FlinkSource:
    """Looks at the jobs; remembers checkpoints for an hour, of which Flink keeps the newest only."""

    def __init__(
        self,
        config: Config,
        addresses: Mapping[str, str] | None = None,
        clock: Clock = SYSTEM_CLOCK,
        connect: Callable[[str], FlinkRest] = FlinkRest,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            config: Says which jobs there are, and where Flink is.
            addresses: Where it is for some of the jobs, by name.
            clock: Tells how old checkpoints are.
            connect: Makes the client of an address.
        """
        self._clock = clock
        addresses = addresses or {}
        wanted = [
            ALERTING,
            *([DEVICE_RESOLVER] if config.devices is not None else []),
            *([REMINDERS] if config.clicks is not None else []),
        ]
        self._wanted = {name: addresses.get(name, config.flink.rest_url) for name in wanted}
        self._rules = addresses.get(ANALYST_ALERTS, config.flink.rest_url)
        self._clients = {url: connect(url) for url in {*self._wanted.values(), self._rules}}
        self._checkpoints: dict[str, dict[int, Checkpoint]] = {}

    def look(self) -> tuple[JobFigures, ...]:
        """Ask for the jobs of the chain, and those of analysts' rules that run.

        Raises:
            FlinkUnreachableError: The JobManager does not answer.
        """
        known: dict[str, list[Job]] = {}
        problem: FlinkUnreachableError | None = None
        for url, flink in self._clients.items():
            try:
                known[url] = flink.jobs()
            except FlinkUnreachableError as error:
                problem = error
        if problem is not None and not known:
            raise problem
        found = [self._figures(name, url, known) for name, url in self._wanted.items()]
        rules = {
            job.name
            for job in known.get(self._rules, [])
            if job.live and (job.name == ANALYST_ALERTS or job.name.startswith(RULE))
        }
        return (*found, *(self._figures(name, self._rules, known) for name in sorted(rules)))

    def _figures(self, name: str, url: str, known: Mapping[str, list[Job]]) -> JobFigures:
        if url not in known:
            return JobFigures(name, UNREACHABLE)
        # A job that was cancelled and submitted again is listed twice: the living one counts.
        lives = sorted((job for job in known[url] if job.name == name), key=lambda job: not job.live)
        if not lives:
            return JobFigures(name, "NOT SUBMITTED")
        job, flink = lives[0], self._clients[url]
        try:
            statistics = flink.checkpoints(job.id)
            return JobFigures(
                name,
                "STARTING" if job.state == "RUNNING" and not job.all_tasks_running else job.state,
                flink.total(job.id, "pendingRecords") if job.live else None,
                flink.restarts(job.id) if job.live else None,
                _failures(flink, job.id),
                self._remember(name, statistics["history"]),
                int(statistics["counts"]["failed"]),
            )
        except FlinkUnreachableError:
            return JobFigures(name, UNREACHABLE)  # It went away meanwhile.

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


def _failures(flink: FlinkRest, job_id: str) -> tuple[int, ...]:
    answer = flink.get(f"/jobs/{job_id}/exceptions")
    return tuple(sorted(int(entry["timestamp"]) for entry in answer["exceptionHistory"]["entries"]))
