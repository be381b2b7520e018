"""What all tests share."""

import faulthandler
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from devenv import ports

# The Java processes that tests start from Python live for seconds: the second compiler would never pay. What
# the local environment starts doesn't get this variable.
os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# Processes of tests never choose each other's ports.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
ports.LISTENING = ports.LISTENING[_worker % 8 :: 8]

_SHARED = ("component", "pipeline")
"""Folders whose tests share a broker or a whole environment."""
_LONG = ("test_analyst_rules.py", "test_upgrade.py")
"""Half of the contract's time: worth an environment of their own."""


class _ByEnvironment(LoadScopeScheduling):  # type: ignore[misc]  # It has no types.
    """Keeps together what shares an environment, where several processes run tests."""

    def _split_scope(self, nodeid: str) -> str:
        _, *folders, file = nodeid.partition("::")[0].split("/")
        if file == "test_environment.py":
            return file
        shared = [folder for folder in folders if folder in _SHARED]
        return f"{shared[0]}, {file in _LONG}" if shared else f"{folders} {file}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """What pytest-xdist gives each process to do."""
    return _ByEnvironment(config, log)


_CRASHES = "TEST_CRASHES"
"""The folder where each process of a run writes what it was doing when it crashed."""


@pytest.hookimpl(trylast=True)  # pytest has it written to stderr, far above what is said at the end.
def pytest_configure(config: pytest.Config) -> None:
    """Let a process that crashes, in a library written in C, say where."""
    folder = Path(os.environ.setdefault(_CRASHES, tempfile.mkdtemp(prefix="crashes-")))
    file = folder / os.environ.get("PYTEST_XDIST_WORKER", "main")
    faulthandler.enable(file.open("w"))  # It is written to until the process ends.


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show where processes crashed."""
    for file in sorted(Path(os.environ[_CRASHES]).iterdir()):
        if text := file.read_text(errors="replace"):
            terminalreporter.section(f"{file.name} crashed")
            terminalreporter.write(text)
