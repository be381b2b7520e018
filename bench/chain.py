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

import psutil

from account_alerts.config import Config, load
from bench import feed
from devenv import environment, ports, supervise
from devenv.job_control.runner import LocalJobRunner
from devenv.layout import layout
from operations.flink.rest import FlinkRest
from operations.flink.savepoints import patient
from operations.job_store import JobStore, UpgradeMode
from operations.waiting import print_progress, wait_for

ALERTING = "alerting"
_PATIENCE = 600.0
_REPORT_SECONDS = 15.0
_QUIET_SECONDS = 3.0


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
        job = wait_for("alerting", patient(lambda: self.rest.live_job(ALERTING)), _PATIENCE, "See the logs.")
        return job.id

    def checkpoint(self) -> dict[str, Any]:
        """Make a checkpoint of the alerting job now, and return what Flink says about it."""
        job_id, before = self.job_id(), time.time() * 1000
        self.rest.trigger_checkpoint(job_id)

        def newer() -> dict[str, Any] | None:
            latest = self.rest.checkpoints(job_id)["latest"]["completed"]
            return latest if latest and latest["trigger_timestamp"] >= before else None

        return wait_for("a checkpoint", patient(newer), _PATIENCE, f"See {self.config.flink.rest_url}.")

    def stop_alerting(self) -> None:
        """Cancel the alerting job and wait until it has ended."""
        job_id = self.job_id()
        # The reconciler must not bring it back before it is wanted again.
        JobStore(layout(self.config).run_folder).suspend(ALERTING)
        self.rest.cancel(job_id)

        def ended() -> bool:
            return all(not job.live for job in self.rest.jobs() if job.id == job_id)

        wait_for("alerting has ended", patient(ended), _PATIENCE, "See the logs.")

    def start_alerting(self) -> None:
        """Submit the alerting job from its newest checkpoint; returns when all its tasks run."""
        LocalJobRunner(self.config).submit([ALERTING], UpgradeMode.LAST_STATE)

    def bring_up_jobs(self) -> None:
        """Submit the job; returns when its rules have caught up."""
        environment.up(self.config)

    def task_manager(self) -> psutil.Process:
        """Return the Java process of the TaskManager."""

        def found() -> psutil.Process | None:
            listed = supervise.processes(layout(self.config)).get("taskmanager", [])
            return next((process for process in listed if "java" in process.name()), None)

        return wait_for("a TaskManager", found, _PATIENCE, "See the logs.")

    def settle(self) -> None:
        """Wait until no alert has come for some seconds."""
        ender, seen = feed.Ender(self.config, feed.outbound(self.config)), list[int]()

        def quiet() -> bool:
            seen.append(ender.total())
            time.sleep(_QUIET_SECONDS)
            return seen[-2:] == [seen[-1]] * 2

        wait_for("no more alerts", quiet, _PATIENCE, "See the logs.")

    def wait_for_alerts(self, total: int, seconds: float = _PATIENCE) -> int:
        """Wait until so many alerts are on the outbound topics, or the time is up; returns how many are."""
        ender, end = feed.Ender(self.config, feed.outbound(self.config)), time.monotonic() + seconds
        report_at = time.monotonic() + _REPORT_SECONDS
        while (count := ender.total()) < total and time.monotonic() < end:
            if time.monotonic() > report_at:
                report_at += _REPORT_SECONDS
                print_progress(f"{count:,} of {total:,} alerts")
            time.sleep(0.2)  # Only Kafka knows, and it does not call back.
        return count


@contextmanager
def started(
    overrides: dict[str, Any], fill: Callable[[Config], None], *, jobs: bool = True
) -> Iterator[Chain]:
    """Start a new environment; `fill` writes what is there before the job is submitted.

    It is stopped at the end; its folder stays where something went wrong.
    """
    folder = Path(tempfile.mkdtemp(prefix="alerts-bench-"))
    # On a busy machine the JobManager takes longer than Flink's ten seconds to answer.
    options = {"pekko.ask.timeout": "120 s", **overrides.get("flink", {}).get("options", {})}
    config = load(overrides={**overrides, "flink": {"options": options}})
    config = ports.throw_away(config, folder / "state")
    chain = Chain(config, folder / "bench.yaml")
    config.write(chain.file)
    complete = False
    try:
        environment.up(config, fresh=True, jobs=False)
        fill(config)
        if jobs:
            chain.bring_up_jobs()
        yield chain
        complete = True
    finally:
        environment.down(config)
        if complete:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"Logs of what went wrong: {folder}", file=sys.stderr)
