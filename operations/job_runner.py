"""Submitting the jobs with `flink run`, to the laptop's cluster or any other."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from jobs.catalog import RULE, RULE_FILE, job_file
from operations.flink import client_config, health, savepoints, versions
from operations.flink.prepared import Prepared, PreparedClient
from operations.flink.rest import FlinkApi, FlinkRest, FlinkUnreachableError, newest_job
from operations.flink.run import JobSubmission, RunFolder, Version, keep_config
from operations.job_store import JobRecord, JobStore, UpgradeMode, cluster_folder
from operations.state_compatibility import refuse_two_jobs
from operations.waiting import print_progress

AT_ONCE = 2
"""Clients at a time: each plans for seconds of a processor, and takes half a GiB."""


class JobRunner(Protocol):
    """Submits jobs to one cluster, and remembers what is needed to start them again."""

    config: Config
    store: JobStore

    @property
    def flink(self) -> FlinkApi:
        """The cluster's JobManager."""

    @property
    def reconciles(self) -> bool:
        """Whether somebody resubmits a job that is desired to run and does not."""

    def claim(self, name: str) -> AbstractContextManager[None]:
        """Claim a job for one command; a crash releases it."""

    def submit(self, names: Sequence[str], mode: UpgradeMode, savepoint: str | None = None) -> None:
        """Submit jobs and wait until they run.

        Args:
            names: The jobs' names.
            mode: What they begin with.
            savepoint: The address to restore from, of one job in the mode SAVEPOINT.

        Raises:
            OperationError: A job runs already, cannot be submitted, or does not come up.
        """

    def submit_rules(self, files: Mapping[str, Path], since: int) -> None:
        """Submit analysts' rules from one client, without state, and wait until they run.

        Args:
            files: The rules, by the name of their job.
            since: Bookings written to Kafka from then on raise alerts, milliseconds UTC.

        Raises:
            OperationError: A job cannot be submitted, or does not come up.
        """

    def start(
        self, name: str, mode: UpgradeMode, savepoint: str | None = None, version: Version | None = None
    ) -> str:
        """Submit a job that the caller has claimed, without waiting for it; return its id.

        Args:
            name: The job's name.
            mode: What it begins with.
            savepoint: The address to restore from, in the mode SAVEPOINT.
            version: What to submit; else this project's code, or with its last state the version that had it.

        Raises:
            OperationError: The job runs already, or cannot be submitted.
        """

    def prepare(self, name: str, code: Path, config: Config) -> Prepared:
        """Begin to plan a version of a job that is to replace the running one."""


class ClusterJobRunner:
    """Submits to a cluster that this tool did not start: only its address is known."""

    reconciles = False

    def __init__(
        self, config: Config, flink: FlinkApi | None = None, folder: RunFolder | None = None
    ) -> None:
        """Connect to nothing yet; by default to `flink.rest_url`, remembering in the user's own folder."""
        self.config = config
        self.flink: FlinkApi = flink or FlinkRest(config.flink.rest_url)
        self.folder = folder or cluster_folder(config)
        self.store = JobStore(self.folder)

    def claim(self, name: str) -> AbstractContextManager[None]:
        """Claim a job for one command; a crash releases it."""
        return self.store.claim(name)

    def submit(self, names: Sequence[str], mode: UpgradeMode, savepoint: str | None = None) -> None:
        """Submit jobs, several at a time, and wait until they run (`JobRunner.submit`)."""
        self.check_not_running(names)

        def submit_one(name: str) -> str:
            with self.claim(name):  # The second of two with the same thought finds the job running.
                return self.start(name, mode, savepoint)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            ids = list(pool.map(submit_one, names))
        self.wait_for_all(dict(zip(names, ids, strict=True)))

    def submit_rules(self, files: Mapping[str, Path], since: int) -> None:
        """Submit analysts' rules from one client, and wait until they run (`JobRunner.submit_rules`)."""
        print_progress(f"{', '.join(files)}: submitting")
        submission = self.submission("rules")
        options = [
            *(part for file in files.values() for part in ("--rule", str(file))),
            "--since",
            str(since),
        ]
        ids = dict(zip(files, submission.wait(submission.client(RULE_FILE, [], *options)), strict=True))
        self.remember(submission, ids)
        self.wait_for_all(ids)

    def start(
        self, name: str, mode: UpgradeMode, savepoint: str | None = None, version: Version | None = None
    ) -> str:
        """Submit a job that the caller has claimed, without waiting for it (`JobRunner.start`)."""
        self.check_not_running([name])
        record = self.store.read(name)
        if mode == UpgradeMode.LAST_STATE:
            savepoint = self.last_state(name)
            if savepoint and record.version:
                refuse_two_jobs(name, record.version.operators)
        print_progress(f"{name}: submitting" + (f", from {savepoint}" if savepoint else ""))
        self.make_folder()
        submission = None if version else self.submission(name)
        if submission and mode == UpgradeMode.LAST_STATE and savepoint:
            version = self._version_that_ran(name, record, submission)
        if version:
            submission = JobSubmission(self.folder, name, Path(version.code), Path(version.config))
        assert submission is not None
        client = submission.client(job_file(name), savepoints.restore_options(savepoint), *record.options)
        [job_id] = submission.wait(client)
        self.remember(submission, {name: job_id}, mode, savepoint)
        return job_id

    def prepare(self, name: str, code: Path, config: Config) -> PreparedClient:
        """Begin to plan a version of a job that is to replace the running one."""
        self.make_folder()
        submission = JobSubmission(self.folder, f"{name}-new", code, keep_config(config, self.folder))
        return PreparedClient(name, submission)

    def last_state(self, name: str) -> str | None:
        """Return the address of the state to go on from, as far as it is remembered.

        Raises:
            OperationError: It is not.
        """
        record = self.store.read(name)
        if record.savepoint:
            return record.savepoint
        stopped = newest_job(self.flink, name) if record.stopping else None
        if (
            stopped
            and stopped.id == record.stopping
            and (state := savepoints.final_state(self.flink, stopped))
        ):
            return state
        raise OperationError(
            f"{name}: which checkpoint it is to go on from is not known here. Name one, or a savepoint: "
            f"`alerts submit {name} --from-savepoint ADDRESS`, or begin with --stateless."
        )

    def submission(self, label: str) -> JobSubmission:
        """Return a submission of this project's code and the configuration of now."""
        self.make_folder()
        return JobSubmission(
            self.folder, label, versions.store(self.folder), keep_config(self.config, self.folder)
        )

    def remember(
        self,
        submission: JobSubmission,
        ids: Mapping[str, str],
        mode: UpgradeMode = UpgradeMode.STATELESS,
        savepoint: str | None = None,
    ) -> None:
        """Remember jobs that were submitted, by name."""
        for name, job_id in ids.items():
            with self.store.edit(name) as record:
                if mode != UpgradeMode.LAST_STATE:
                    record.resume_from(savepoint)
                record.submitted(job_id, submission.version(name))

    def _version_that_ran(self, name: str, record: JobRecord, new: JobSubmission) -> Version | None:
        """Return the version that has the job's state; None if this project's code is the same."""
        ran = record.version
        if ran is None or Path(ran.code) == new.code or not Path(ran.code).is_dir():
            return None
        # Whether this folder's code fits that state, only an upgrade looks. The version goes on with the
        # configuration it had, too: it may not know a key that is new.
        remedy = "" if name.startswith(RULE) else f"; `alerts upgrade {name}` takes this folder's code"
        print_progress(f"{name}: goes on with the version that ran{remedy}")
        return ran

    def make_folder(self) -> None:
        """Make the folder with what Flink's client needs to reach the cluster."""
        self.folder.make()
        client_config.write(self.folder.flink_conf, client_config.client_options(self.config))

    def check_not_running(self, names: Sequence[str]) -> None:
        """Raise a `OperationError` if one of the jobs runs, or Flink cannot be reached."""
        try:
            live = {job.name: job.id for job in self.flink.jobs() if job.live}
        except FlinkUnreachableError as error:
            raise OperationError(f"{error}. Start it: alerts up --no-jobs") from error
        for name in names:
            if name in live:
                raise OperationError(
                    f"{name}: runs already (job {live[name]}). Cancel it first on {self.flink.url}."
                )

    def wait_for_all(self, ids: Mapping[str, str]) -> None:
        """Wait until jobs run, by name."""
        for name, job_id in ids.items():
            health.wait_until_running(self.flink, name, job_id)
            print_progress(f"{name}: running")
            self.is_running(name)

    def is_running(self, name: str) -> None:
        """Note that a job runs: what it was restored from is not its newest state any more."""
        with self.store.edit(name) as record:
            record.savepoint = None
