"""Time zones by their IANA names, of the pinned package `tzdata` (see account_alerts/__init__.py)."""

from zoneinfo import ZoneInfo


def find_zone(name: str) -> ZoneInfo:
    """Return the zone of a name.

    Raises:
        ValueError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # No such zone, no name of one, a folder.
        raise ValueError("no time zone of IANA's database, such as Europe/Amsterdam or UTC") from None
