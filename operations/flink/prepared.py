"""A version of a job that is planned while the old one runs, and started when that is stopped."""

import json
import os
import subprocess
from typing import Protocol

from jobs.catalog import job_file
from operations.flink.run import JobSubmission, Version
from operations.waiting import print_progress, wait_for

_PLAN_SECONDS = 180.0


class Prepared(Protocol):
    """A version of a job that is planned, and is submitted when it gets a savepoint."""

    def plan(self) -> Version:
        """Wait until it is planned; return what would be started.

        Raises:
            OperationError: It cannot be planned.
        """

    def start(self, savepoint: str, *, allow_dropped: bool) -> str:
        """Submit it from a savepoint; return the job's id.

        Args:
            savepoint: Its address.
            allow_dropped: Leave out the state of operators that this version does not have.

        Raises:
            OperationError: It cannot be submitted.
        """

    def discard(self) -> None:
        """Submit nothing, unless that is done already."""


class PreparedClient:
    """A client of `flink run` that plans a job, and waits for the savepoint to start it from.

    The savepoint comes through a pipe. When this process ends before, so does the client.
    """

    def __init__(self, name: str, submission: JobSubmission) -> None:
        """Start the client."""
        self.name, self.submission = name, submission
        self._path = submission.folder.tmp / f"{submission.label}-{os.getpid()}.pipe"
        self._path.unlink(missing_ok=True)
        os.mkfifo(self._path)
        # For reading, too: opening it does not wait for the client.
        self._pipe = os.open(self._path, os.O_RDWR)
        self._client: subprocess.Popen[str] = submission.client(
            job_file(name), [], "--await-savepoint", str(self._path)
        )

    def plan(self) -> Version:
        """Wait until it is planned; return what would be started (`Prepared.plan`)."""
        print_progress(f"{self.name}: planning {self.submission.code.name}")

        def planned() -> bool:
            if self._client.poll() is not None:
                self.submission.wait(self._client)  # Says why it ended.
            return (self.submission.operators / f"{self.name}.json").exists()

        wait_for(f"{self.name}: planned", planned, _PLAN_SECONDS, f"See {self.submission.output}")
        return self.submission.version(self.name)

    def start(self, savepoint: str, *, allow_dropped: bool) -> str:
        """Let it submit the job; return the job's id (`Prepared.start`)."""
        os.write(self._pipe, json.dumps({"savepoint": savepoint, "drop": allow_dropped}).encode())
        self._close()
        return self.submission.wait(self._client)[0]

    def discard(self) -> None:
        """Stop it, unless it has submitted."""
        self._close()
        self._client.terminate()
        self._client.wait()

    def _close(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._path.unlink(missing_ok=True)
            self._pipe = -1
