"""The wheel: with nothing but it and its dependencies, the command line and the jobs work."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from account_alerts import installation
from account_alerts.installation import PROJECT

_SHARE = "account_alerts-0.1.0.data/data/share/account-alerts/"
_NOT_BUILT_FROM = (".*", "build", "dist", "*.egg-info", "__pycache__", "tests", "bench", "docs", "java")


@dataclass(frozen=True)
class Installed:
    """A wheel, and the environment it is installed in."""

    wheel: Path
    environment: Path

    def run(self, *command: str) -> str:
        """Run a program of the environment, outside of the checkout; returns what it prints."""
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ALERTS_", "PYTHON")) and name != "VIRTUAL_ENV"
        }
        done = subprocess.run(
            [str(self.environment / "bin" / command[0]), *command[1:]],
            cwd=self.environment,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(PROJECT, source, ignore=shutil.ignore_patterns(*_NOT_BUILT_FROM))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    venv.create(environment)
    python = environment / "bin/python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    # The dependencies, and what `make install` adds to them, are those of this environment.
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (environment / installation.SHARE.relative_to(installation.VENV)).symlink_to(installation.SHARE)
    shutil.rmtree(source)
    yield Installed(wheel, environment)
    shutil.rmtree(folder)


def test_it_has_every_file_of_the_folders_that_the_code_reads(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    shared = {name.removeprefix(_SHARE) for name in names if name.startswith(_SHARE)}
    folders = ("conf", "data", "database", "schemas", "sql")
    files = {
        str(file.relative_to(PROJECT))
        for folder in folders
        for file in (PROJECT / folder).rglob("*")
        if file.is_file()
    }
    assert shared == files
    templates = {f"delivery/rendering/templates/{file.name}" for file in _templates()}
    assert templates <= set(names)
    assert "ingest/clicks/demo.html" in names


def _templates() -> list[Path]:
    return list((PROJECT / "delivery/rendering/templates").iterdir())


def test_it_has_the_layers_and_neither_tests_nor_the_installer(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    packages = {name.split("/")[0] for name in names if name.endswith("/__init__.py")}
    here = {file.parent.name for file in PROJECT.glob("*/__init__.py")}
    assert packages == here - {"bench", "docs_generator", "install", "tests"}


def test_the_project_comes_from_the_wheel(installed: Installed) -> None:
    code = "from account_alerts import installation as i; print(i.CODE, i.PROJECT)"
    found = installed.run("python", "-c", code).split()
    assert all(Path(folder).is_relative_to(installed.environment) for folder in found)


def test_the_command_line_says_what_it_can(installed: Installed) -> None:
    assert "topics" in installed.run("alerts", "--help")
    assert "create" in installed.run("alerts", "topics", "--help")


def test_a_job_is_planned(installed: Installed) -> None:
    plan = installed.run("python", "-m", "jobs.alerting_job", "--explain")
    assert "== Optimized Execution Plan ==" in plan
