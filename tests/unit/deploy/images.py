"""A Dockerfile's stages as folders on this machine: the files it copies, the packages it installs."""

import importlib.metadata
import os
import re
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from account_alerts.config import PROJECT

SITE = Path(site.getsitepackages()[0])
_STAGE = re.compile(r"^FROM (\S+) AS (\S+)$")
_COPY = re.compile(r"^COPY (?!--)(.+) (\S+)$")


@dataclass(frozen=True)
class Stage:
    """One stage of a Dockerfile."""

    name: str
    base: str
    text: str

    @property
    def copied(self) -> list[str]:
        """The files and folders it takes from the project."""
        lines = [match for line in self.text.splitlines() if (match := _COPY.match(line))]
        return [source for line in lines for source in line.group(1).split()]


def stages(dockerfile: Path) -> dict[str, Stage]:
    """Read a Dockerfile's stages, by their names."""
    found: dict[str, Stage] = {}
    for part in re.split(r"(?m)^(?=FROM )", dockerfile.read_text())[1:]:
        match = _STAGE.match(part.splitlines()[0])
        assert match, part.splitlines()[0]
        found[match.group(2)] = Stage(match.group(2), match.group(1), part)
    return found


def requirements(file: Path) -> list[Requirement]:
    """Read what an image installs."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def installed(wanted: list[Requirement]) -> set[str]:
    """The distributions that pip brings for these requirements, as they are installed here."""
    found: set[str] = set()
    left = [(requirement.name, tuple(requirement.extras)) for requirement in wanted]
    while left:
        name, extras = left.pop()
        canonical = re.sub(r"[-_.]+", "-", name).lower()
        if canonical in found and not extras:
            continue
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # Of an extra, or of another platform.
        found.add(canonical)
        for text in distribution.requires or ():
            dependency = Requirement(text)
            marker = dependency.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, "")):
                left.append((dependency.name, tuple(dependency.extras)))
    return found


def build(folder: Path, copied: list[str], wanted: list[Requirement]) -> Path:
    """Lay the files of an image and a `.venv` that has its packages only; returns the `.venv`'s Python."""
    for source in copied:
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(PROJECT / source, target)
    venv = folder / ".venv"
    packages = venv / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    packages.mkdir(parents=True)
    entries = {
        file.parts[0]
        for name in installed(wanted)
        for file in importlib.metadata.distribution(name).files or ()
        if file.parts[0] not in ("..", "__pycache__")
    }
    for entry in entries:
        (packages / entry).symlink_to(SITE / entry)
    (packages / "account_alerts.pth").write_text(f"{folder}\n")
    (venv / "bin").mkdir()
    for name in ("python", "python3"):
        (venv / "bin" / name).symlink_to(os.path.realpath(sys.executable))
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", venv)
    (venv / "share").symlink_to(Path(sys.prefix) / "share")
    return venv / "bin/python"


def run(python: Path, *arguments: str) -> str:
    """Run a command of an image in its folder, with no variable of this machine; returns its output.

    Fails unless the command ends well.
    """
    result = attempt(python, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def attempt(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of an image as `run` does; returns how it ended."""
    environment = {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "ALERTS_CONFIG": str(python.parents[2] / "conf/production.yaml"),
        "ALERTS_KAFKA__USERNAME": "user",
        "ALERTS_KAFKA__PASSWORD": "password",
    }
    return subprocess.run(
        [str(python), *arguments],
        cwd=python.parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
