"""The code of the versions that ran: kept in the state folder, so that a job can go back to one."""

import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from account_alerts.config import PROJECT
from account_alerts.installation import CODE
from account_alerts.model.errors import OperationError
from operations.flink.run import RunFolder

CARRIED = ("jobs", "udfs", "sql", "conf")
NOT_CARRIED = ("account_alerts", "schemas", "java")
"""What a TaskManager has of its own: a version comes with it only when TaskManagers are started anew."""
PARTS = (*CARRIED, *NOT_CARRIED)
"""The folders that a job is made of."""
_IN_NO_WHEEL = "java"
_KEPT = 20


def store(folder: RunFolder, code: Path = PROJECT) -> Path:
    """Copy the code of a project's folder to where nobody changes it; return the copy.

    The same code gives the same copy.

    Raises:
        OperationError: The folder is not a project's.
    """
    missing = [part for part in PARTS if part != _IN_NO_WHEEL and not _part(code, part).is_dir()]
    if missing:
        raise OperationError(
            f"{code}: has no folder {missing[0]}; name the folder of a clone of the project."
        )
    copy = folder.versions / _digest(code, PARTS)[:12]
    if not copy.exists():
        folder.versions.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix="part-", dir=folder.versions))
        for name, file in _files(code, PARTS):
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        try:
            temporary.rename(copy)
        except OSError:  # Somebody else was quicker, with the same.
            shutil.rmtree(temporary)
    return copy


def prune(folder: RunFolder, used: Collection[str]) -> None:
    """Remove all but the newest versions, and those that are used."""
    stored = sorted(folder.versions.glob("[0-9a-f]*"), key=lambda each: -each.stat().st_mtime_ns)
    for old in stored[_KEPT:]:
        if str(old) not in used:
            shutil.rmtree(old, ignore_errors=True)


def differ_in_what_is_not_carried(one: Path, other: Path) -> list[str]:
    """Return the folders in which two versions differ, though the job does not carry them."""
    return [part for part in NOT_CARRIED if _digest(one, [part]) != _digest(other, [part])]


def _digest(code: Path, parts: Collection[str]) -> str:
    digest = hashlib.sha256()
    for name, file in _files(code, parts):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(code: Path, parts: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Return the files of some parts: each with its path in the copy."""
    for part in parts:
        folder = _part(code, part)
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield f"{part}/{file.relative_to(folder)}", file


def _part(code: Path, part: str) -> Path:
    # A wheel has its packages elsewhere than its other files.
    return CODE / part if code == PROJECT and (CODE / part).is_dir() else code / part
