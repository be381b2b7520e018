"""What all tests share."""

import os
from pathlib import Path

import pytest

# The Java processes that tests start from Python live for seconds: the second compiler would never pay. What
# the local environment starts doesn't get this variable.
os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

_SHARED = ("contract", "ends")
"""Folders whose tests share a broker or a whole environment."""
_LONG = ("test_adhoc.py", "test_upgrade.py")
"""Half of the contract's time: worth an environment of their own."""


# Before pytest-xdist looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests (pytest-xdist), what shares an environment stays together."""
    for item in items:
        place = item.path.relative_to(Path(__file__).parent)
        group = place.parts[0] if place.parts[0] in _SHARED else str(place)
        item.add_marker(pytest.mark.xdist_group(f"{group}, long" if place.name in _LONG else group))
