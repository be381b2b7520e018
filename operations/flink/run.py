"""One submission of a job file by `flink run`."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from account_alerts import installation
from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from devenv.layout import Layout

# A client lives for seconds only: the quick compiler is enough.
# Do not add an archive of its classes (-XX:SharedArchiveFile): with one, the planner cannot compile its code.
_CLIENT_JVM = "-Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass(frozen=True)
class Version:
    """What a job was submitted with: code (a folder), configuration (a file), and what in it holds state."""

    code: Path
    config: Path
    operators: dict[str, list[str]]


@dataclass(frozen=True)
class Attempt:
    """One submission by `flink run`: what of, and where it writes."""

    place: Layout
    label: str
    """Tells attempts apart that are made at the same time."""
    code: Path
    config: Path

    @property
    def output(self) -> Path:
        """What the client prints."""
        return self.place.logs / f"submit-{self.label}.out"

    @property
    def operators(self) -> Path:
        """The folder for `<job>.json`: what holds state in the jobs."""
        return self.place.operators / self.label

    def client(self, file: str, restored: Sequence[str], *options: str) -> "subprocess.Popen[str]":
        """Start the client for a job file; `options` are the file's own."""
        script = self.code / "jobs" / file
        if not script.exists():
            raise OperationError(f"{self.label}: {script} is missing")
        shutil.rmtree(self.operators, ignore_errors=True)
        command = [
            str(installation.flink_home() / "bin/flink"),
            *("run", "-d", *restored, "-pyexec", sys.executable, "-pyclientexec", sys.executable),
            *("-py", str(script), "--config", str(self.config), "--operators", str(self.operators)),
        ]
        environment = self.place.environment(f"submit-{self.label}")
        environment["JVM_ARGS"] = f"{_CLIENT_JVM} -Djava.io.tmpdir={self.place.tmp}"
        environment["PYTHONPATH"] = str(self.code)  # Before what is installed.
        with self.output.open("w") as output:
            return subprocess.Popen(
                [*command, *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self.code,
                env=environment,
                # Ctrl-C is for the command, which ends its clients itself.
                start_new_session=True,
            )

    def ids(self, running: "subprocess.Popen[str]") -> list[str]:
        """Wait for the client; returns the ids of the jobs it submitted.

        Raises:
            OperationError: It could not submit them.
        """
        try:
            status = running.wait()
        except BaseException:
            running.terminate()
            raise
        output = self.output.read_text()
        submitted: list[str] = re.findall(r"JobID (\w{32})", output)
        if status or not submitted:
            raise OperationError(
                f"{self.label}: cannot be submitted:\n{_without_frames(output)}\nAll of it: {self.output}"
            )
        return submitted

    def version(self, name: str) -> Version:
        """What was submitted, once the client has planned it."""
        operators = json.loads((self.operators / f"{name}.json").read_text())
        return Version(self.code, self.config, operators)


def keep_config(config: Config, place: Layout) -> Path:
    """A file with the values of now, which a variable may have changed since `up`; it is never changed."""
    with tempfile.NamedTemporaryFile(dir=place.state, prefix="config-", suffix=".part") as file:
        config.write(Path(file.name))
        text = Path(file.name).read_bytes()
    kept = place.state / f"config-{hashlib.sha256(text).hexdigest()[:12]}.yaml"
    if not kept.exists():
        config.write(kept)
    return kept


def _without_frames(output: str) -> str:
    """What a client printed, without Java's stack frames and warnings, which hide the reason."""
    noise = re.compile(r"\s+at |\s*\.\.\. \d+ more|WARNING: ")
    return "\n".join(line for line in output.splitlines() if line.strip() and not noise.match(line))
