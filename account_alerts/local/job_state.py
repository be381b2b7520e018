"""What is remembered of the jobs between two lives of the cluster: which shall run, under which ids they ran.

The ids lead to the retained checkpoints (`<checkpoints>/<job id>/chk-<n>/_metadata`).
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from account_alerts.local.layout import Layout

_KEPT_IDS = 20


@dataclass
class JobRecord:
    """One job's history."""

    wanted: bool = False
    """Whether it is meant to run now; the keeper brings it back only then."""
    ids: list[str] = field(default_factory=list)
    """The ids it ran under, the newest last."""
    code: str | None = None
    """The folder with the code it runs (`versions.py`)."""
    savepoint: str | None = None
    """What it was started from when it was last upgraded or rolled back; there is a checkpoint soon after."""
    former: dict[str, str] | None = None
    """`code` and `savepoint` of the version before, for `alerts rollback`."""


@contextmanager
def records(layout: Layout) -> Iterator[dict[str, JobRecord]]:
    """The records by job name, to read and change; written on leaving, and one process at a time."""
    layout.state.mkdir(parents=True, exist_ok=True)
    with layout.jobs.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        current = {name: JobRecord(**record) for name, record in json.loads(text or "{}").items()}
        yield current
        file.seek(0)
        file.truncate()
        json.dump({name: asdict(record) for name, record in current.items()}, file, indent=1)


def started(layout: Layout, name: str, job_id: str, code: Path) -> None:
    """Remember that a job was submitted with some code and is meant to run."""
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        record.wanted = True
        record.code = str(code)
        record.ids = [*[old for old in record.ids if old != job_id], job_id][-_KEPT_IDS:]


def upgraded(
    layout: Layout,
    name: str,
    job_id: str,
    code: Path,
    savepoint: str,
    former_code: str | None,
    former_savepoint: str | None,
) -> None:
    """Remember that another version of a job was started from a savepoint.

    Checkpoints of its earlier lives are those of another version: it never goes on from them.
    """
    with records(layout) as jobs:
        former = (
            {"code": former_code, "savepoint": former_savepoint} if former_code and former_savepoint else None
        )
        jobs[name] = JobRecord(True, [job_id], str(code), savepoint, former)


def rest(layout: Layout) -> None:
    """Remember that no job is meant to run until it is submitted again."""
    with records(layout) as jobs:
        for record in jobs.values():
            record.wanted = False


def newest_checkpoint(layout: Layout, name: str) -> Path | None:
    """The job's newest complete checkpoint, of whichever of its lives; else its last upgrade's savepoint."""
    with records(layout) as jobs:
        record = jobs.get(name, JobRecord())
    ids = record.ids
    # _metadata is written last: a folder without it is a checkpoint that was not finished.
    complete = [found for job_id in ids for found in (layout.checkpoints / job_id).glob("chk-*/_metadata")]
    if complete:
        return max(complete, key=lambda found: found.stat().st_mtime_ns).parent
    return Path(record.savepoint) if record.savepoint else None
