"""A file of JSON lines that survives SIGKILL: what is written once is never written twice."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """Records by their keys, appended to a file. For one process."""

    def __init__(self, path: Path) -> None:
        """Read what is there; half a line at the end, left by a crash, is cut off."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        whole = 0
        self._ids: dict[str, str] = {}
        with path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                record = json.loads(line)
                if "key" in record:
                    self._ids[record["key"]] = record["id"]
        os.ftruncate(self._file, whole)

    def find(self, key: str) -> str | None:
        """Return the id of the record with this key, or None."""
        return self._ids.get(key)

    def add(self, key: str, record_id: str, record: Mapping[str, Any]) -> str:
        """Keep a record with its time of arrival; return the id of the one that is kept under its key."""
        known = self._ids.get(key)
        if known is not None:
            return known
        self.note({"key": key, "id": record_id, "arrived_at": now(), **record})
        self._ids[key] = record_id
        return record_id

    def note(self, line: Mapping[str, Any]) -> None:
        """Append a line that is no record."""
        data = json.dumps(line, ensure_ascii=False).encode(errors="replace") + b"\n"
        os.write(self._file, data)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Read the lines of a journal, also while it is written."""
    if not path.exists():
        return
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def now() -> int:
    """Return the time in milliseconds UTC."""
    return time.time_ns() // 1_000_000
