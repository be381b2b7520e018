"""The little of Flink's REST interface that is needed: jobs, checkpoints, metrics."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

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


class FlinkRest:
    """A JobManager by its address (`flink.rest_url`)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str) -> Any:
        """GET a path; returns the JSON answer."""
        return self._call(urllib.request.Request(f"{self.url}{path}"))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON to a path; returns the JSON answer."""
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), method="POST")
        request.add_header("Content-Type", "application/json")
        return self._call(request)

    def _call(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise FlinkRefusedError(
                f"Flink at {self.url} answered {error.code} to {request.selector}"
            ) from error
        except (OSError, ValueError, HTTPException) as error:
            raise FlinkUnreachableError(
                f"Flink does not answer at {self.url} (flink.rest_url): {error}"
            ) from error

    def slots(self) -> int:
        """How many task slots the cluster has; 0 while it is not up."""
        try:
            return int(self.get("/overview")["slots-total"])
        except FlinkUnreachableError:
            return 0

    def free_slots(self) -> int:
        """How many task slots no job takes."""
        return int(self.get("/overview")["slots-available"])

    def jobs(self) -> list[Job]:
        """All jobs the JobManager knows, ended ones included, the newest first."""
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
        """The job of that name that runs or is being restarted."""
        return next((job for job in self.jobs() if job.name == name and job.live), None)

    def newest_job(self, name: str) -> Job | None:
        """The job of that name that was started last, ended or not."""
        return next((job for job in self.jobs() if job.name == name), None)

    def checkpoints(self, job_id: str) -> dict[str, Any]:
        """Statistics of the job's checkpoints, as Flink gives them."""
        statistics: dict[str, Any] = self.get(f"/jobs/{job_id}/checkpoints")
        return statistics

    def trigger_checkpoint(self, job_id: str) -> None:
        """Ask for a checkpoint now; does not wait for it."""
        self.post(f"/jobs/{job_id}/checkpoints", {"checkpointType": "FULL"})

    def stop_with_savepoint(self, job_id: str, folder: str | None = None) -> str:
        """Ask for a savepoint after which the job ends; returns the request's id, for :meth:`savepoint`.

        Its folder is the cluster's own where none is given.
        """
        body = {"drain": False, **({"targetDirectory": folder} if folder else {})}
        return str(self.post(f"/jobs/{job_id}/stop", body)["request-id"])

    def savepoint(self, job_id: str, request: str) -> str | None:
        """The address of the savepoint that was asked for; None while it is being made.

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
        """Cancel a job; does not wait until it has ended."""
        self._call(urllib.request.Request(f"{self.url}/jobs/{job_id}?mode=cancel", method="PATCH"))

    def restarts(self, job_id: str) -> int:
        """How often the job was restarted since it was submitted."""
        metrics = self.get(f"/jobs/{job_id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def pending_records(self, job_id: str) -> int | None:
        """Records the job's sources have not read yet; None while that is not known."""
        total: int | None = None
        for vertex in self.get(f"/jobs/{job_id}")["vertices"]:
            base = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
            names = [metric["id"] for metric in self.get(base) if metric["id"].endswith(".pendingRecords")]
            if names:
                values = self.get(f"{base}?get={','.join(names)}&agg=sum")
                total = (total or 0) + int(sum(value["sum"] for value in values))
        return total
