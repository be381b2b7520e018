"""Submitting a job's file with `flink run`."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from account_alerts import installation
from account_alerts.config import PREFIX, Config, free_form_variables, secret_variables
from account_alerts.model.errors import OperationError
from operations.flink import client_config

_CLIENT_JVM = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""A client lives for seconds only: the quick compiler is enough. Without an archive of its classes
(`installation.java`): with one, the planner cannot compile its code."""
_MISFIT = "Cannot map checkpoint/savepoint state"
"""What Flink says of a savepoint of another version."""


@dataclass(frozen=True)
class RunFolder:
    """The folder with all that is kept of the jobs that were submitted from here."""

    root: Path
    marks: Mapping[str, str] = field(default_factory=dict)
    """Variables by which the clients' processes are found."""

    @property
    def logs(self) -> Path:
        """All logs."""
        return self.root / "logs"

    @property
    def tmp(self) -> Path:
        """Temporary files."""
        return self.root / "tmp"

    @property
    def flink_conf(self) -> Path:
        """Flink's configuration folder."""
        return self.root / "flink/conf"

    @property
    def versions(self) -> Path:
        """Code of the versions that were submitted (`versions.py`)."""
        return self.root / "versions"

    @property
    def rules(self) -> Path:
        """The analysts' rules that were started, as they were then."""
        return self.root / "rules"

    @property
    def operators(self) -> Path:
        """Which operators of the submitted jobs hold state: `<label>/<job>.json`."""
        return self.root / "operators"

    @property
    def jobs(self) -> Path:
        """What is remembered of the jobs (`job_store.py`)."""
        return self.root / "jobs.json"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.logs, self.tmp, self.flink_conf, self.versions, self.rules, self.operators):
            folder.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Return the variables of a program: this process's, Flink's, and the marks.

        The configuration is handed on by file, so the variables that override it are left out, but not
        those that hold secrets: the file has none.
        """
        secrets = {*secret_variables(), *free_form_variables()}
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith((PREFIX, "FLINK_", "JVM_ARGS")) or key in secrets
        }
        return {
            **inherited,
            **installation.flink_environment(),
            "FLINK_CONF_DIR": str(self.flink_conf),
            "FLINK_LOG_DIR": str(self.logs),
            "FLINK_PID_DIR": str(self.tmp),
            "TMPDIR": str(self.tmp),
            **self.marks,
        }


@dataclass(frozen=True)
class Version:
    """What a job was submitted with."""

    code: str
    """A folder with the project's code."""
    config: str
    """A file with the configuration."""
    operators: dict[str, list[str]]
    """What in it holds state (`state_compatibility.py`)."""


@dataclass(frozen=True)
class JobSubmission:
    """One call of `flink run`: of which code and configuration, and where it writes."""

    folder: RunFolder
    label: str
    """Tells submissions apart that are made at the same time."""
    code: Path
    config: Path

    @property
    def output(self) -> Path:
        """What the client prints."""
        return self.folder.logs / f"submit-{self.label}.out"

    @property
    def operators(self) -> Path:
        """The folder for `<job>.json`: what holds state in the jobs."""
        return self.folder.operators / self.label

    def command(self, file: str, restored: Sequence[str], *options: str) -> list[str]:
        """Return the command that submits a job's file; `options` are the file's own."""
        script = self.code / "jobs" / file
        if not script.exists():
            raise OperationError(f"{self.label}: {script} is missing")
        log = [f"-Dlog.file={self.folder.logs}/flink-alerts-client-local.log"]
        log += [f"-Dlog4j.configurationFile=file:{self.folder.flink_conf}/log4j-cli.properties"]
        # As Flink's script `flink` does, without the Java program by which that reads its configuration.
        return [
            *(str(installation.java_home() / "bin/java"), *_CLIENT_JVM),
            *client_config.read_java_options(self.folder.flink_conf),
            *(f"-Djava.io.tmpdir={self.folder.tmp}", *log, "-classpath", installation.flink_classpath()),
            "org.apache.flink.client.cli.CliFrontend",
            *("run", "-d", *restored, "-pyexec", sys.executable, "-pyclientexec", sys.executable),
            *("-py", str(script), "--config", str(self.config), "--operators", str(self.operators)),
            *options,
        ]

    def client(self, file: str, restored: Sequence[str], *options: str) -> "subprocess.Popen[str]":
        """Start the client that submits a job's file."""
        command = self.command(file, restored, *options)
        shutil.rmtree(self.operators, ignore_errors=True)
        environment = self.folder.environment()
        environment["PYTHONPATH"] = str(self.code)  # Before what is installed.
        with self.output.open("w") as output:
            return subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self.code,
                env=environment,
                # Ctrl-C is for the command, which ends its clients itself.
                start_new_session=True,
                # It has its command's claim, too: a command that is killed leaves a client that may submit.
                close_fds=False,
            )

    def wait(self, client: "subprocess.Popen[str]") -> list[str]:
        """Wait for the client; return the ids of the jobs it submitted.

        Raises:
            OperationError: It could not submit them.
        """
        try:
            status = client.wait()
        except BaseException:
            client.terminate()
            raise
        output = self.output.read_text()
        submitted: list[str] = re.findall(r"JobID (\w{32})", output)
        if status or not submitted:
            remedy = "docs/operations/upgrades.md says how to begin anew." if _MISFIT in output else ""
            raise OperationError(
                f"{self.label}: cannot be submitted:\n{_without_frames(output)}\n"
                f"All of it: {self.output} {remedy}".rstrip()
            )
        return submitted

    def version(self, name: str) -> Version:
        """Return what is submitted, once the client has planned it."""
        operators = json.loads((self.operators / f"{name}.json").read_text())
        return Version(str(self.code), str(self.config), operators)


def keep_config(config: Config, folder: RunFolder) -> Path:
    """Keep the values of now in a file that is never changed; return the file.

    A variable may have changed them since the environment was started.
    """
    with tempfile.NamedTemporaryFile(dir=folder.root, prefix="config-", suffix=".part") as file:
        config.write(Path(file.name))
        text = Path(file.name).read_bytes()
    kept = folder.root / f"config-{hashlib.sha256(text).hexdigest()[:12]}.yaml"
    if not kept.exists():
        config.write(kept)
    return kept


def _without_frames(output: str) -> str:
    """Return what a client printed, without Java's stack frames and warnings, which hide the reason."""
    noise = re.compile(r"\s+at |\s*\.\.\. \d+ more|WARNING: ")
    return "\n".join(line for line in output.splitlines() if line.strip() and not noise.match(line))
