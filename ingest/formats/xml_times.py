"""Times as XML Schema writes them: xs:dateTime and xs:date (XML Schema 1.1 part 2, 3.3.7 and 3.3.9)."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

_OFFSET = r"(Z|[+-]\d\d:\d\d)?"
_DATE_TIME = re.compile(rf"(\d{{4}}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?){_OFFSET}", re.ASCII)
_DATE = re.compile(rf"(\d{{4}}-\d\d-\d\d){_OFFSET}", re.ASCII)
_END_OF_DAY = re.compile(r"24:00:00(\.0+)?")
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_date_time(text: str) -> datetime:
    """Parse an xs:dateTime of the years 1 to 9999; without a zone where it names none.

    Raises:
        ValueError: It is none.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("no xs:dateTime")
    day, time, offset = match[1], match[2], match[3] or ""
    if _END_OF_DAY.fullmatch(time):
        return _after(datetime.fromisoformat(f"{day}T00:00:00{offset}"))
    return datetime.fromisoformat(f"{day}T{time}{offset}")


def parse_date(text: str) -> tuple[date, tzinfo | None]:
    """Parse an xs:date of the years 1 to 9999, with its zone where it names one.

    Raises:
        ValueError: It is none.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("no xs:date")
    start = datetime.fromisoformat(f"{match[1]}T00:00:00{match[2] or ''}")
    return start.date(), start.tzinfo


def milliseconds(moment: datetime, time_zone: tzinfo) -> int:
    """Convert to milliseconds UTC; a moment without a zone is in `time_zone`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=time_zone)
    return (moment - _EPOCH) // _MILLISECOND


def day_bounds(day: date, time_zone: tzinfo) -> tuple[int, int]:
    """Return the first and the last millisecond of a day, UTC.

    Raises:
        ValueError: The day is the last that can be told.
    """
    start = datetime(day.year, day.month, day.day)
    return milliseconds(start, time_zone), milliseconds(_after(start), time_zone) - 1


def _after(moment: datetime) -> datetime:
    try:
        return moment + _DAY
    except OverflowError:
        raise ValueError("after the year 9999") from None
