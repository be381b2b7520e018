"""Time zones are those of the pinned package, whatever the machine has."""

import ast
import os
import subprocess
import sys
import tomllib
import zoneinfo
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import metadata, resources
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from account_alerts.config import PROJECT
from account_alerts.model.time_zones import find_zone

PACKAGES = (
    "account_alerts",
    "alerts_cli",
    "delivery",
    "demo",
    "devenv",
    "ingest",
    "jobs",
    "operations",
    "udfs",
)


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def _modules(*wanted: str) -> list[str]:
    """Return the modules that import one of these; they ask for time zones."""
    return sorted(
        ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
        for package in PACKAGES
        for file in (PROJECT / package).rglob("*.py")
        if _imports(file) & set(wanted)
    )


def test_tests_use_the_pinned_data() -> None:
    assert zoneinfo.TZPATH == ()
    pinned = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"tzdata=={metadata.version('tzdata')}" in pinned


@pytest.mark.parametrize("module", [*_modules("zoneinfo", "babel.dates"), "udfs.alerts", "jobs.runner"])
def test_a_process_uses_the_pinned_data_and_not_the_machines(module: str, tmp_path: Path) -> None:
    wrong = tmp_path / "Europe"
    wrong.mkdir()
    (wrong / "Amsterdam").write_bytes((resources.files("tzdata") / "zoneinfo/Asia/Tokyo").read_bytes())
    code = (
        f"import {module}; from datetime import datetime; from zoneinfo import ZoneInfo\n"
        "print(datetime(2026, 7, 1, tzinfo=ZoneInfo('Europe/Amsterdam')).utcoffset())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert ended.stdout.strip() == "2:00:00"


def test_the_pinned_data_knows_what_older_data_does_not() -> None:
    """British Columbia has had no winter time since 2026."""
    assert datetime(2026, 12, 1, tzinfo=find_zone("America/Vancouver")).utcoffset() == timedelta(hours=-7)


@pytest.mark.parametrize("name", ["Nowhere/City", "", "../etc", "Europe"])
def test_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone of IANA's database"):
        find_zone(name)


@example("__init__.py")
@example("x" * 5_000)
@given(
    st.text() | st.lists(st.sampled_from(("Europe", "..", ".", "", "/", "Berlin")), max_size=4).map("/".join)
)
def test_any_text_is_a_zone_or_none(name: str) -> None:
    with suppress(ValueError):
        assert find_zone(name).key == name
