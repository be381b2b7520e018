"""The code of the versions that ran: kept in the state folder, so that a job can go back to one."""

import hashlib
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path

from account_alerts.config import PROJECT
from account_alerts.model.errors import OperationError
from devenv.layout import Layout

CARRIED = ("jobs", "udfs", "sql", "conf")
NOT_CARRIED = ("account_alerts", "schemas", "java")
"""What a TaskManager has of its own: a version comes with it only when TaskManagers are started anew."""
PARTS = (*CARRIED, *NOT_CARRIED)
"""The rooms that a job is made of."""
_KEPT = 20


def store(layout: Layout, code: Path = PROJECT) -> Path:
    """Copy the code of a project's folder to where nobody changes it; returns the copy.

    The same code gives the same copy.

    Raises:
        OperationError: The folder is not a project's.
    """
    missing = [part for part in PARTS if not (code / part).is_dir()]
    if missing:
        raise OperationError(
            f"{code}: has no folder {missing[0]}; name the folder of a clone of the project."
        )
    copy = layout.versions / _digest(code, PARTS)[:12]
    if not copy.exists():
        layout.versions.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix="part-", dir=layout.versions))
        for file in _files(code, PARTS):
            target = temporary / file.relative_to(code)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        try:
            temporary.rename(copy)
        except OSError:  # Somebody else was quicker, with the same.
            shutil.rmtree(temporary)
    return copy


def prune(layout: Layout, used: Collection[str]) -> None:
    """Remove all but the newest versions, and those that are used."""
    stored = sorted(layout.versions.glob("[0-9a-f]*"), key=lambda each: -each.stat().st_mtime_ns)
    for old in stored[_KEPT:]:
        if str(old) not in used:
            shutil.rmtree(old, ignore_errors=True)


def not_carried(one: Path, other: Path) -> list[str]:
    """The rooms in which two versions differ, though the job does not carry them."""
    return [part for part in NOT_CARRIED if _digest(one, [part]) != _digest(other, [part])]


def _digest(code: Path, parts: Collection[str]) -> str:
    digest = hashlib.sha256()
    for file in _files(code, parts):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(code)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(code: Path, parts: Collection[str]) -> list[Path]:
    found = [file for part in parts for file in sorted((code / part).rglob("*"))]
    return [file for file in found if file.is_file() and "__pycache__" not in file.parts]
