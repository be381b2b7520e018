"""The environment the contract tests run in: own ports, a throw-away folder, driven by the `alerts` tool."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from account_alerts.config import Config, load
from devenv.ports import throw_away

ALERTS = Path(sys.executable).parent / "alerts"
MAX_WAIT_MS = 10_000
QUICK_JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A TaskManager lives for minutes here: what the second compiler makes of it never pays for its making. As in
the local environment the real one is started in tests/component/test_environment.py."""


class Environment:
    """A local environment of its own."""

    def __init__(self, folder: Path) -> None:
        """Write its configuration into the folder; starts nothing."""
        self.file = folder / "test.yaml"
        overrides: dict[str, Any] = {
            "rules": {"max_wait": f"{MAX_WAIT_MS}ms"},
            "flink": {"options": {"env.java.opts.taskmanager": QUICK_JVM}, "healthy_after": "2s"},
        }
        config = throw_away(load(overrides=overrides), folder / "state")
        config.write(self.file)
        self.config: Config = load(self.file)

    def alerts(self, *arguments: str, timeout: float = 900, progress: bool = False, **variables: str) -> str:
        """Run the `alerts` tool; returns what it prints, or else what it tells about its progress.

        Fails with all of it when the tool does.
        """
        done = subprocess.run(
            [ALERTS, *arguments],
            env={**os.environ, "ALERTS_CONFIG": str(self.file), **variables},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"alerts {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stderr if progress else done.stdout

    def started(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start the `alerts` tool, to be watched or killed."""
        return subprocess.Popen(
            [ALERTS, *arguments],
            env={**os.environ, "ALERTS_CONFIG": str(self.file)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rest(self, path: str, method: str = "GET") -> Any:
        """Ask Flink's REST API."""
        request = urllib.request.Request(f"{self.config.flink.rest_url}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def jobs(self) -> dict[str, str]:
        """Ids of the jobs that run, by name."""
        return {job["name"]: job["jid"] for job in self.rest("/jobs/overview")["jobs"] if _lives(job)}

    def parallelism(self, job: str, operator: str) -> int:
        """How many subtasks work on an operator."""
        vertices = self.rest(f"/jobs/{self.jobs()[job]}")["vertices"]
        (found,) = (vertex["parallelism"] for vertex in vertices if operator in vertex["name"])
        return int(found)

    def cancel(self, *names: str) -> None:
        """Cancel jobs by name, and wait until they are gone."""
        running = self.jobs()
        for name in names:
            self.rest(f"/jobs/{running[name]}?mode=cancel", "PATCH")
        wait(lambda: not set(names) & self.jobs().keys(), f"{names} are cancelled")

    def task_manager(self) -> psutil.Process:
        """The process that does the work."""
        folder = str(self.config.local_environment().state)
        for process in psutil.process_iter():
            try:
                command = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if "TaskManagerRunner" in command and folder in command:
                return process
        raise AssertionError("there is no TaskManager")


def wait(condition: Callable[[], bool], what: str, timeout: float = 300) -> None:
    """Ask until the condition holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout:.0f} s: {what}"
        # Only Flink and the operating system know, and they do not call back.
        time.sleep(0.05)


def _lives(job: dict[str, Any]) -> bool:
    return job["state"] not in ("CANCELED", "FAILED", "FINISHED")
