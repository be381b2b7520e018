"""How a planned job is told its savepoint."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from account_alerts.model.errors import OperationError
from jobs.runner import _open_pipe
from operations.flink.prepared import PreparedClient
from operations.flink.run import JobSubmission, RunFolder

CLIENT = """\
import sys, time
from pathlib import Path
from jobs.runner import _open_pipe
pipe = _open_pipe(Path(sys.argv[1]))
operators = Path(sys.argv[2])
operators.mkdir(parents=True, exist_ok=True)
(operators / "alerting.json").write_text("{}")
text = pipe.read()
print(text)
print("JobID " + "a" * 32 if text else "nobody asks any more")
sys.exit(0 if text else 1)
"""


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedClient:
    """A client that waits for its savepoint as a job's file does, and plans nothing."""
    folder = RunFolder(tmp_path)
    folder.make()

    def client(
        submission: JobSubmission, file: str, restored: list[str], *options: str
    ) -> "subprocess.Popen[str]":
        assert (file, restored, options[0]) == ("alerting_job.py", [], "--await-savepoint")
        command = [sys.executable, "-c", CLIENT, options[1], str(submission.operators)]
        with submission.output.open("w") as output:
            return subprocess.Popen(command, stdout=output, text=True)

    monkeypatch.setattr(JobSubmission, "client", client)
    return PreparedClient("alerting", JobSubmission(folder, "alerting-new", tmp_path, tmp_path / "c.yaml"))


def test_a_planned_job_starts_from_the_savepoint_it_is_told(prepared: PreparedClient) -> None:
    prepared.plan()
    assert prepared.start("s3://s/savepoint-1", allow_dropped=True) == "a" * 32
    told = json.loads(prepared.submission.output.read_text().splitlines()[0])
    assert told == {"savepoint": "s3://s/savepoint-1", "drop": True}
    prepared.discard()


def test_a_planned_job_ends_with_the_command_that_asked(prepared: PreparedClient) -> None:
    prepared.plan()
    prepared._close()  # As when this process is killed.
    with pytest.raises(OperationError, match="nobody asks any more"):
        prepared.submission.wait(prepared._client)


def test_a_client_that_comes_too_late_does_not_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert _open_pipe(tmp_path / "pipe").read() == ""
