"""Submitting the jobs to the laptop's cluster, each from its newest checkpoint."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from account_alerts.config import Config
from devenv.layout import layout
from jobs.catalog import ALL_JOBS, FULL, JOBS
from operations.flink.rest import FlinkApi
from operations.job_runner import ClusterJobRunner
from operations.job_store import UpgradeMode
from operations.waiting import print_progress


class LocalJobRunner(ClusterJobRunner):
    """Submits to the cluster that `alerts up` started, and finds its checkpoints on this machine."""

    reconciles = True

    def __init__(self, config: Config, flink: FlinkApi | None = None) -> None:
        """Connect to nothing yet; the cluster may be starting."""
        self.layout = layout(config)
        super().__init__(config, flink, self.layout.run_folder)

    def submit(self, names: Sequence[str], mode: UpgradeMode, savepoint: str | None = None) -> None:
        """Submit jobs and wait until they run; all from one client where they begin without state."""
        stateless = mode == UpgradeMode.STATELESS or (mode == UpgradeMode.LAST_STATE and not self.had_jobs())
        if stateless and list(names) == list(FULL):
            self.check_not_running(names)
            self.wait_for_all(dict(zip(names, self.submit_first(full=True), strict=True)))
        else:
            super().submit(names, mode, savepoint)

    def submit_first(self, *, full: bool = False) -> list[str]:
        """Submit all jobs from one client, without state; return their ids."""
        jobs = FULL if full else JOBS
        with ExitStack() as claims:
            for name in jobs:
                claims.enter_context(self.claim(name))
            print_progress("jobs: submitting")
            submission = self.submission("all")
            ids = submission.wait(submission.client(ALL_JOBS, [], *(["--full"] if full else [])))
            self.remember(submission, dict(zip(jobs, ids, strict=True)))
        return ids

    def had_jobs(self) -> bool:
        """Return whether a job left a checkpoint to go on from."""
        return any(self.last_state(name) for name in JOBS)

    def resubmit(self, name: str) -> None:
        """Submit a missing job, which the caller has claimed, from its newest checkpoint, as it ran."""
        # With what it ran with, not with what the project's folder has become meanwhile.
        version = self.store.read(name).version
        known = version is not None and Path(version.code).is_dir()
        self.start(name, UpgradeMode.LAST_STATE, version=version if known else None)

    def last_state(self, name: str) -> str | None:
        """Return the job's newest complete checkpoint, of whichever of its lives; else its savepoint."""
        record = self.store.read(name)
        # _metadata is written last: a folder without it is a checkpoint that was not finished.
        complete = [
            found
            for job_id in record.ids
            for found in (self.layout.checkpoints / job_id).glob("chk-*/_metadata")
        ]
        if record.stopping and not record.savepoint:
            complete += self.layout.savepoints.glob(f"savepoint-{record.stopping[:6]}-*/_metadata")
        if complete:
            return max(complete, key=lambda found: found.stat().st_mtime_ns).parent.as_uri()
        return record.savepoint

    def make_folder(self) -> None:
        """Change nothing: `alerts up` made all."""

    def is_running(self, name: str) -> None:
        """Keep what a job was restored from: it counts until there is a checkpoint."""
