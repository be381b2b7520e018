"""The environment that is measured: throw-away state, free ports, and the steps of the measurements."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from account_alerts.config import Config, load
from bench import feed
from devenv import environment, ports, readiness, supervise
from devenv.job_control.runner import LocalJobRunner
from devenv.layout import layout
from operations.flink.rest import FlinkRest, FlinkUnreachableError
from operations.job_store import JobStore, UpgradeMode
from operations.waiting import print_progress, wait_for

ALERTING = "alerting"
_PATIENCE = 600.0
_JOIN = "TemporalJoin"


@dataclass
class Chain:
    """A running environment; its configuration is in `file`, too."""

    config: Config
    file: Path
    next_booking: int = 1

    @property
    def rest(self) -> FlinkRest:
        """Flink's REST interface."""
        return FlinkRest(self.config.flink.rest_url)

    def take_bookings(self, count: int) -> int:
        """Reserve ids for so many bookings; returns the first."""
        first = self.next_booking
        self.next_booking += count
        return first

    def job_id(self) -> str:
        """Return the id of the alerting job."""
        job = wait_for("alerting", lambda: self.rest.live_job(ALERTING), _PATIENCE, "See the logs.")
        return job.id

    def checkpoint(self) -> dict[str, Any]:
        """Make a checkpoint of the alerting job now, and return what Flink says about it."""
        job_id, before = self.job_id(), time.time() * 1000
        self.rest.trigger_checkpoint(job_id)

        def newer() -> dict[str, Any] | None:
            latest = self.rest.checkpoints(job_id)["latest"]["completed"]
            return latest if latest and latest["trigger_timestamp"] >= before else None

        return wait_for("a checkpoint", newer, _PATIENCE, f"See {self.config.flink.rest_url}.")

    def stop_alerting(self) -> None:
        """Cancel the alerting job and wait until it has ended."""
        job_id = self.job_id()
        self.rest.cancel(job_id)

        def ended() -> bool:
            return all(not job.live for job in self.rest.jobs() if job.id == job_id)

        wait_for("alerting has ended", ended, _PATIENCE, "See the logs.")
        # The reconciler must not bring it back before it is wanted again.
        JobStore(layout(self.config).run_folder).suspend(ALERTING)

    def start_alerting(self) -> None:
        """Submit the alerting job from its newest checkpoint; returns when all its tasks run."""
        LocalJobRunner(self.config).submit([ALERTING], UpgradeMode.LAST_STATE)

    def bring_up_jobs(self) -> None:
        """Submit both jobs; returns when the rules have caught up."""
        environment.up(self.config)

    def wait_for_rules(self) -> None:
        """Wait until the rules are complete up to now."""
        readiness.wait_for_rules(self.config)

    def task_manager(self) -> psutil.Process:
        """Return the Java process of the TaskManager."""

        def found() -> psutil.Process | None:
            listed = supervise.processes(layout(self.config)).get("taskmanager", [])
            return next((process for process in listed if "java" in process.name()), None)

        return wait_for("a TaskManager", found, _PATIENCE, "See the logs.")

    def wait_for_alerts(self, total: int, seconds: float = _PATIENCE) -> int:
        """Wait until so many alerts are on the outbound topics, or the time is up; returns how many are."""
        ender, end = feed.Ender(self.config, feed.outbound(self.config)), time.monotonic() + seconds
        while (count := ender.total()) < total and time.monotonic() < end:
            time.sleep(0.2)  # Only Kafka knows, and it does not call back.
        return count


class JoinCounter:
    """How many bookings the alerting job's join has let go, by Flink's own metrics."""

    def __init__(self, chain: Chain) -> None:
        self._rest = chain.rest
        self._base, self._names = wait_for(
            "the join's metrics", lambda: self._find(chain.job_id()), _PATIENCE, "See Flink's page."
        )

    def _find(self, job_id: str) -> tuple[str, str] | None:
        for vertex in self._rest.get(f"/jobs/{job_id}")["vertices"]:
            if _JOIN not in vertex["name"]:
                continue
            base = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
            listed = [metric["id"] for metric in self._rest.get(base)]
            names = [name for name in listed if _JOIN in name and name.endswith(".numRecordsOut")]
            if names:
                return base, ",".join(quote(name) for name in names)
        return None

    def read(self) -> int | None:
        """Return the count over all subtasks; None when the JobManager does not say."""
        try:
            values = self._rest.get(f"{self._base}?get={self._names}&agg=sum")
        except FlinkUnreachableError:
            return None
        return int(sum(value["sum"] for value in values)) if values else None


@contextmanager
def started(overrides: dict[str, Any], fill: Callable[[Config], None]) -> Iterator[Chain]:
    """Start a new environment with both jobs; `fill` writes what is there at first.

    The jobs come first: a job that starts anew ends rules in `alert-rules` that it was given no reason for.
    It is stopped at the end; its folder stays where something went wrong.
    """
    folder = Path(tempfile.mkdtemp(prefix="alerts-bench-"))
    # Flink's metrics are read every second, so they must not be older.
    options = {"metrics.fetcher.update-interval": 500, **overrides.get("flink", {}).get("options", {})}
    config = load(overrides={**overrides, "flink": {"options": options}})
    config = ports.throw_away(config, folder / "state")
    chain = Chain(config, folder / "bench.yaml")
    config.write(chain.file)
    complete = False
    try:
        environment.up(config, fresh=True)
        fill(config)
        chain.wait_for_rules()
        yield chain
        complete = True
    finally:
        environment.down(config)
        if complete:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"Logs of what went wrong: {folder}", file=sys.stderr)


@contextmanager
def restarted(chain: Chain, overrides: dict[str, Any]) -> Iterator[Chain]:
    """Keep the records in Kafka; configure the cluster otherwise, start the alerting job without state."""
    environment.down(chain.config)
    with JobStore(layout(chain.config).run_folder).records() as jobs:
        jobs.pop(ALERTING, None)
    other = Chain(chain.config.override(overrides), chain.file, chain.next_booking)
    other.config.write(other.file)
    other.bring_up_jobs()
    print_progress("started again")
    yield other
    chain.next_booking = other.next_booking
