"""What all tests share."""

import os
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
