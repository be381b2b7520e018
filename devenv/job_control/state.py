"""What is remembered of the jobs between two lives of the cluster: which shall run, under which ids they ran.

The ids lead to the retained checkpoints (`<checkpoints>/<job id>/chk-<n>/_metadata`).
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from devenv.layout import Layout
from operations.flink.run import Version

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
    config: str | None = None
    """The file with the configuration it runs with."""
    operators: dict[str, list[str]] | None = None
    """What in it holds state (`fitting.py`)."""
    stopping: str | None = None
    """The id of the job that is being stopped with a savepoint, to go on from that at once."""
    savepoint: str | None = None
    """What to go on from as long as there is no checkpoint: an upgrade is on its way."""
    former: dict[str, str] | None = None
    """`code`, `config` and `savepoint` of the version before, for `alerts rollback`."""
    options: list[str] = field(default_factory=list)
    """What its file is given besides the configuration: of an analyst's rule, which."""


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


def started(layout: Layout, name: str, job_id: str, version: Version) -> None:
    """Remember that a job was submitted and is meant to run."""
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        _take(record, version)
        record.wanted, record.stopping = True, None
        record.ids = [*[old for old in record.ids if old != job_id], job_id][-_KEPT_IDS:]


def read(layout: Layout, name: str) -> JobRecord:
    """What is remembered of a job."""
    with records(layout) as jobs:
        return jobs.get(name, JobRecord())


def asked(layout: Layout, name: str, options: list[str]) -> None:
    """Remember what a job's file is given, before it is submitted for the first time: it begins anew."""
    with records(layout) as jobs:
        jobs[name] = JobRecord(options=options)


def goes_on_from(layout: Layout, name: str, options: list[str], state: Path | None) -> None:
    """Remember that an ended job goes on from a savepoint or checkpoint, with these options of its own."""
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        record.options, record.ids, record.stopping = options, [], None
        record.savepoint = str(state) if state else None


def unwanted(layout: Layout, name: str) -> None:
    """Remember that a job is not meant to run any more."""
    with records(layout) as jobs:
        jobs.setdefault(name, JobRecord()).wanted = False


def stopping(layout: Layout, name: str, job_id: str | None) -> None:
    """Remember that a job is being stopped with a savepoint (None: no longer, it goes on).

    Should nobody live to say which savepoint it became, the newest of that job is gone on from.
    """
    with records(layout) as jobs:
        jobs.setdefault(name, JobRecord()).stopping = job_id


def stopped(layout: Layout, name: str, savepoint: Path) -> None:
    """Remember that a job was stopped with a savepoint, to go on from it at once.

    Until the other version is known to run, the keeper would start this one again from there.
    """
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        record.ids, record.savepoint, record.wanted = [], str(savepoint), True


def replaced(layout: Layout, name: str, job_id: str, version: Version, former: dict[str, str] | None) -> None:
    """Remember that another version of a stopped job was started from the savepoint.

    Checkpoints of the job's earlier lives are those of another version: it never goes on from them.
    """
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        _take(record, version)
        record.ids, record.wanted, record.former = [job_id], True, former
        record.stopping = None


def goes_back(layout: Layout, name: str, old: JobRecord, savepoint: Path) -> None:
    """Remember that the version before is meant to run again, from a savepoint, and not the other one."""
    with records(layout) as jobs:
        record = jobs.setdefault(name, JobRecord())
        record.code, record.config, record.operators = old.code, old.config, old.operators
        record.ids, record.savepoint, record.wanted, record.former = [], str(savepoint), True, old.former
        record.stopping = None


def settled(layout: Layout, name: str) -> None:
    """Remember that a job has checkpoints of its own since it was replaced."""
    with records(layout) as jobs:
        jobs.setdefault(name, JobRecord()).savepoint = None


def used_versions(layout: Layout) -> set[str]:
    """The folders of code that a job runs, or could go back to."""
    with records(layout) as jobs:
        named = [(record.code, (record.former or {}).get("code")) for record in jobs.values()]
    return {code for pair in named for code in pair if code}


def _take(record: JobRecord, version: Version) -> None:
    record.code, record.config = str(version.code), str(version.config)
    record.operators = dict(version.operators)


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
    if record.stopping and not record.savepoint:
        complete += layout.savepoints.glob(f"savepoint-{record.stopping[:6]}-*/_metadata")
    if complete:
        return max(complete, key=lambda found: found.stat().st_mtime_ns).parent
    return Path(record.savepoint) if record.savepoint else None
