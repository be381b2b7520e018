"""The code of the versions that ran: kept in the state folder, so that a job can go back to one."""

import hashlib
import shutil
from pathlib import Path

from account_alerts.config import PROJECT
from account_alerts.local.errors import LocalError
from account_alerts.local.layout import Layout

PARTS = ("jobs", "udfs", "sql", "schemas", "account_alerts", "conf")
"""The rooms that a job is made of."""
_KEPT = 20


def store(layout: Layout, code: Path = PROJECT) -> Path:
    """Copy the code of a project's folder to where nobody changes it; returns the copy.

    The same code gives the same copy.

    Raises:
        LocalError: The folder is not a project's.
    """
    missing = [part for part in PARTS if not (code / part).is_dir()]
    if missing:
        raise LocalError(f"{code}: has no folder {missing[0]}; name the folder of a clone of the project.")
    files = [file for part in PARTS for file in sorted((code / part).rglob("*")) if _counts(file)]
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(code)} {len(content)}\n".encode() + content)
    copy = layout.versions / digest.hexdigest()[:12]
    if not copy.exists():
        temporary = copy.with_suffix(".part")
        shutil.rmtree(temporary, ignore_errors=True)
        for file in files:
            target = temporary / file.relative_to(code)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        temporary.rename(copy)
    copy.touch()
    for old in sorted(layout.versions.iterdir(), key=lambda each: -each.stat().st_mtime_ns)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return copy


def _counts(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts
