"""What a client of `flink run` is told, and what it inherits."""

import subprocess
import sys
from pathlib import Path

import pytest

from account_alerts import installation
from account_alerts.config import load
from account_alerts.model.errors import OperationError
from operations.flink import client_config, versions
from operations.flink.run import JobSubmission, RunFolder, keep_config


@pytest.fixture
def submission(tmp_path: Path) -> JobSubmission:
    folder = RunFolder(tmp_path / "state", {"MARK": "x"})
    folder.make()
    return JobSubmission(folder, "alerting", versions.store(folder), keep_config(load(), folder))


def test_only_the_jobs_file_is_handed_to_flink(submission: JobSubmission) -> None:
    """No Python files, archives or requirements go to the cluster besides what the job has pickled."""
    client_config.write(submission.folder.flink_conf, {"env.java.opts.client": "-Done=1 -Dtwo=2"})
    command = submission.command("alerting_job.py", ["-s", "s3://s"], "--await-savepoint", "p")
    main = command.index("org.apache.flink.client.cli.CliFrontend")
    assert command[0] == str(installation.java_home() / "bin/java")
    assert {"-Done=1", "-Dtwo=2"} < set(command[:main])
    assert command[main + 1 :] == [
        *("run", "-d", "-s", "s3://s"),
        *("-pyexec", sys.executable, "-pyclientexec", sys.executable),
        *("-py", str(submission.code / "jobs/alerting_job.py"), "--config", str(submission.config)),
        *("--operators", str(submission.operators), "--await-savepoint", "p"),
    ]


def test_what_is_kept_of_the_code_is_what_a_job_needs(submission: JobSubmission) -> None:
    assert {part.name for part in submission.code.iterdir()} == {
        *("account_alerts", "udfs", "jobs"),
        *("sql", "conf", "schemas", "java"),
    }
    assert not list(submission.code.rglob("__pycache__"))


def test_the_same_code_and_configuration_are_kept_once(submission: JobSubmission) -> None:
    assert versions.store(submission.folder) == submission.code
    assert keep_config(load(), submission.folder) == submission.config
    assert keep_config(load(overrides={"alerting": {"parallelism": 3}}), submission.folder) != (
        submission.config
    )


def test_overrides_are_not_inherited_and_secrets_are(
    submission: JobSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS_ALERTING__PARALLELISM", "3")
    monkeypatch.setenv("ALERTS_KAFKA__PASSWORD", "secret")
    monkeypatch.setenv("FLINK_CONF_DIR", "/elsewhere")
    environment = submission.folder.environment()
    assert "ALERTS_ALERTING__PARALLELISM" not in environment
    assert environment["ALERTS_KAFKA__PASSWORD"] == "secret"
    assert environment["FLINK_CONF_DIR"] == str(submission.folder.flink_conf)
    assert environment["MARK"] == "x"


def client(submission: JobSubmission, output: str, status: int = 0) -> "subprocess.Popen[str]":
    submission.output.write_text(output)
    return subprocess.Popen([sys.executable, "-S", "-c", f"raise SystemExit({status})"], text=True)


def test_the_ids_of_the_jobs_are_read(submission: JobSubmission) -> None:
    ids = ["a" * 32, "b" * 32]
    output = "".join(f"Job has been submitted with JobID {each}\n" for each in ids)
    assert submission.wait(client(submission, output)) == ids


def test_why_a_job_cannot_be_submitted_is_said_without_stack_frames(submission: JobSubmission) -> None:
    output = "ValueError: broken\n\tat org.apache.Flink\n\t... 12 more\nWARNING: old\n"
    with pytest.raises(
        OperationError, match=r"alerting: cannot be submitted:\nValueError: broken\nAll of it"
    ):
        submission.wait(client(submission, output, 1))


def test_a_folder_that_is_no_project_is_refused(submission: JobSubmission, tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="has no folder jobs; name the folder of a clone"):
        versions.store(submission.folder, tmp_path)
    gone = JobSubmission(submission.folder, "x", tmp_path, submission.config)
    with pytest.raises(OperationError, match=r"alerting_job\.py is missing"):
        gone.command("alerting_job.py", [])


def test_unused_versions_are_removed_when_there_are_many(submission: JobSubmission) -> None:
    old = [submission.folder.versions / f"{number:012x}" for number in range(25)]
    for folder in old:
        folder.mkdir()
    versions.prune(submission.folder, {str(old[0])})
    left = set(submission.folder.versions.iterdir())
    assert old[0] in left
    assert len(left) <= 21


def test_a_client_inherits_what_may_hold_secrets_and_no_other_override(
    submission: JobSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration's file has no secrets, not even among options of any name."""
    kept = {
        "ALERTS_KAFKA__PASSWORD": "p",
        "ALERTS_FLINK__OPTIONS": '{"s3.secret-key": "s"}',
        "ALERTS_KAFKA__JAVA_CLIENT": '{"ssl.key.password": "k"}',
    }
    for name, value in {**kept, "ALERTS_ALERTING__PARALLELISM": "3"}.items():
        monkeypatch.setenv(name, value)
    environment = submission.folder.environment()
    assert {name: value for name, value in environment.items() if name.startswith("ALERTS_")} == kept
