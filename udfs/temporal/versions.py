"""Values that hold from a Kafka time on, each until the next: [(from, value)], oldest first, ms UTC."""

from collections.abc import Iterator, Sequence
from typing import Any

Versions = list[tuple[int, Any]]


def append(versions: Versions, since: int, value: Any, nothing: Any) -> bool:
    """Add a version, unless it says the same as the newest (or `nothing` where there is none yet)."""
    if value == (versions[-1][1] if versions else nothing):
        return False
    # A new leader's clock may be behind the old one's: a version never begins before the one it follows.
    versions.append((max(since, versions[-1][0]) if versions else since, value))
    return True


def spans(versions: Versions) -> Iterator[tuple[int, int | None, Any]]:
    """Give (from, to, value) of each version; the newest has no end."""
    ends: list[int | None] = [start for start, _ in versions[1:]]
    for (start, value), end in zip(versions, [*ends, None][: len(versions)], strict=True):
        yield start, end, value


def after(versions: Versions, before: int, nothing: Any) -> Versions:
    """Return the versions that hold at or after a time; none where only `nothing` does."""
    kept = [
        version
        for version, (_, end, _) in zip(versions, spans(versions), strict=True)
        if end is None or end > before
    ]
    return [] if len(kept) == 1 and kept[0][1] == nothing and kept[0][0] <= before else kept


def as_of(versions: Sequence[Sequence[Any]], time: int) -> Any:
    """Return the value that holds at a time; None before the first."""
    held = None
    for since, value in versions:
        if since > time:
            break
        held = value
    return held
