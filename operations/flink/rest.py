"""The part of Flink's REST interface that is needed: jobs, checkpoints, savepoints, metrics."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

from account_alerts.model.errors import OperationError, UnreachableError

LIVE = {"INITIALIZING", "CREATED", "RUNNING", "FAILING", "RESTARTING", "RECONCILING"}
"""The states of a job that still wants to run."""
_TIMEOUT = 5.0


class FlinkUnreachableError(UnreachableError):
    """The JobManager does not answer, or refuses; the message names its address."""


class FlinkRefusedError(FlinkUnreachableError):
    """The JobManager answered, and did not do what it was asked for."""


class SavepointError(OperationError):
    """A savepoint could not be made; the message is Flink's reason."""


@dataclass(frozen=True)
class Job:
    """A job as the JobManager lists it."""

    id: str
    name: str
    state: str
    started: int
    """Milliseconds UTC."""
    all_tasks_running: bool

    @property
    def live(self) -> bool:
        """Whether it runs or is being restarted."""
        return self.state in LIVE


class FlinkApi(Protocol):
    """What steering jobs needs of a JobManager; every method may raise `FlinkUnreachableError`."""

    url: str

    def jobs(self) -> list[Job]:
        """List all jobs the JobManager knows, ended ones included, the newest first."""

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        """Return the statistics of the job's checkpoints, as Flink gives them."""

    def trigger_checkpoint(self, job_id: str) -> None:
        """Ask for a checkpoint now, without waiting for it."""

    def stop_with_savepoint(self, job_id: str, folder: str | None = None) -> str:
        """Ask for a savepoint after which the job ends; return the request's id, for `savepoint`."""

    def savepoint(self, job_id: str, request: str) -> str | None:
        """Return the address of the savepoint that was asked for; None while it is being made."""

    def cancel(self, job_id: str) -> None:
        """Cancel a job, without waiting until it has ended."""

    def last_failure(self, job_id: str) -> str:
        """Return the innermost cause of the job's last failure; empty if it did not fail."""

    def free_slots(self) -> int:
        """Count the task slots that no job takes."""


def live_job(flink: FlinkApi, name: str) -> Job | None:
    """Return the job of that name that runs or is being restarted."""
    return next((job for job in flink.jobs() if job.name == name and job.live), None)


def newest_job(flink: FlinkApi, name: str) -> Job | None:
    """Return the job of that name that was started last, ended or not."""
    return next((job for job in flink.jobs() if job.name == name), None)


class FlinkRest:
    """A JobManager by its address (`flink.rest_url`)."""

    def __init__(self, url: str, transport: httpx2.BaseTransport | None = None) -> None:
        """Connect to nothing yet; `transport` replaces the network in tests."""
        self.url = url.rstrip("/")
        # A connection is not kept: a JobManager that was restarted meanwhile would have closed it.
        self._http = httpx2.Client(
            timeout=_TIMEOUT,
            transport=transport,
            follow_redirects=True,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def get(self, path: str) -> Any:
        """GET a path; return the JSON answer."""
        return self._call("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON to a path; return the JSON answer."""
        return self._call("POST", path, body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._http.request(method, f"{self.url}{path}", json=body)
            answer.raise_for_status()
            return answer.json() if answer.content else None
        except httpx2.HTTPStatusError as error:
            code = error.response.status_code
            raise FlinkRefusedError(f"Flink at {self.url} answered {code} to {path}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise FlinkUnreachableError(
                f"Flink does not answer at {self.url} (flink.rest_url): {error}"
            ) from error

    def slots(self) -> int:
        """Count the cluster's task slots; 0 while it is not up."""
        try:
            return int(self.get("/overview")["slots-total"])
        except FlinkUnreachableError:
            return 0

    def free_slots(self) -> int:
        """Count the task slots that no job takes."""
        return int(self.get("/overview")["slots-available"])

    def jobs(self) -> list[Job]:
        """List all jobs the JobManager knows, ended ones included, the newest first."""
        jobs = [
            Job(
                job["jid"],
                job["name"],
                job["state"],
                job["start-time"],
                job["tasks"]["total"] > 0 and job["tasks"]["running"] == job["tasks"]["total"],
            )
            for job in self.get("/jobs/overview")["jobs"]
        ]
        return sorted(jobs, key=lambda job: -job.started)

    def live_job(self, name: str) -> Job | None:
        """Return the job of that name that runs or is being restarted."""
        return live_job(self, name)

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        """Return the statistics of the job's checkpoints, as Flink gives them."""
        statistics: dict[str, Any] = self.get(f"/jobs/{job_id}/checkpoints")
        return statistics

    def trigger_checkpoint(self, job_id: str) -> None:
        """Ask for a checkpoint now, without waiting for it."""
        self.post(f"/jobs/{job_id}/checkpoints", {"checkpointType": "FULL"})

    def stop_with_savepoint(self, job_id: str, folder: str | None = None) -> str:
        """Ask for a savepoint after which the job ends; return the request's id, for :meth:`savepoint`.

        Its folder is the cluster's own where none is given.
        """
        body = {"drain": False, **({"targetDirectory": folder} if folder else {})}
        return str(self.post(f"/jobs/{job_id}/stop", body)["request-id"])

    def savepoint(self, job_id: str, request: str) -> str | None:
        """Return the address of the savepoint that was asked for; None while it is being made.

        Raises:
            SavepointError: It could not be made.
        """
        answer = self.get(f"/jobs/{job_id}/savepoints/{request}")
        if answer["status"]["id"] != "COMPLETED":
            return None
        operation = answer["operation"]
        if "location" not in operation:
            cause = str(operation.get("failure-cause", {}).get("stack-trace", "no reason given"))
            raise SavepointError(cause.splitlines()[0])
        return str(operation["location"])

    def cancel(self, job_id: str) -> None:
        """Cancel a job, without waiting until it has ended."""
        self._call("PATCH", f"/jobs/{job_id}?mode=cancel")

    def last_failure(self, job_id: str) -> str:
        """Return the innermost cause of the job's last failure; empty if it did not fail."""
        entries = self.get(f"/jobs/{job_id}/exceptions")["exceptionHistory"]["entries"]
        if not entries:
            return ""
        lines = str(entries[0]["stacktrace"]).splitlines()
        causes = [line for line in lines if line.startswith("Caused by: ")]
        return causes[-1].removeprefix("Caused by: ") if causes else lines[0]

    def restarts(self, job_id: str) -> int:
        """Count the job's restarts since it was submitted."""
        metrics = self.get(f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def watermark(self, job_id: str, operator: str) -> int | None:
        """Return up to when an operator has read its inputs, milliseconds UTC; None while that is not known.

        Args:
            job_id: The job.
            operator: What the name of its vertex begins with, a regular expression.
        """
        for vertex in self.get(f"/jobs/{job_id}")["vertices"]:
            if re.match(operator, vertex["name"]):
                marks = self.get(f"/jobs/{job_id}/vertices/{vertex['id']}/watermarks")
                lowest = min((int(mark["value"]) for mark in marks), default=0)
                return lowest if lowest > 0 and len(marks) == vertex["parallelism"] else None
        return None

    def total(self, job_id: str, metric: str, operator: str = "") -> int | None:
        """Sum up a metric over the operators that have it; None while none has.

        Args:
            job_id: The job.
            metric: Its name.
            operator: Part of the names of the operators that count.
        """
        total: int | None = None
        for vertex in self.get(f"/jobs/{job_id}")["vertices"]:
            base = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
            ids = [found["id"] for found in self.get(base)]
            names = [name for name in ids if name.endswith(f".{metric}") and operator in name]
            if names:
                values = self.get(f"{base}?get={','.join(names)}&agg=sum")
                total = (total or 0) + int(sum(value["sum"] for value in values))
        return total
