"""Types of fields that several resources have."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from account_alerts.model.limits import TEXT_BYTES
from account_alerts.model.money import format_minor
from account_alerts.service.problems import InvalidPart, ProblemError

_LONG = 2**63
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Model(BaseModel):
    """What is sent: unknown fields are refused, nothing is converted but what JSON has no type for."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _long(text: str) -> str:
    if not -_LONG <= int(text) < _LONG:
        raise ValueError("must fit into 64 bits")
    return text


def _short(text: str) -> str:
    if len(text.encode()) > TEXT_BYTES:
        raise ValueError(f"must have at most {TEXT_BYTES} bytes")
    return text


def _in_calendar(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError("must be between the years 2000 and 9998")
    return at.astimezone(UTC)


def _write_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TEXT_BYTES, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_short),
]
"""A line of text."""
Minor = Annotated[str, StringConstraints(pattern=r"^(0|-?[1-9][0-9]{0,18})$"), AfterValidator(_long)]
"""An amount in its currency's minor unit: a string, as JSON's numbers lose digits beyond 53 bits."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217."""
Time = Annotated[AwareDatetime, PlainSerializer(_write_time, return_type=str)]
"""RFC 3339, in UTC with milliseconds."""
NewTime = Annotated[Time, Field(strict=False), AfterValidator(_in_calendar)]
"""RFC 3339, with an offset."""


class Money(BaseModel):
    """An amount, and how the customer reads it."""

    minor: str
    """In the minor unit of the currency."""
    currency: str
    text: str


def money(minor: int | None, currency: str | None, language: str) -> Money | None:
    """Return an amount; None where there is none, or its currency is not known."""
    if minor is None or currency is None:
        return None
    try:
        return Money(minor=str(minor), currency=currency, text=format_minor(minor, currency, language))
    except ValueError:
        return None


def write_cursor(*place: str) -> str:
    """Return where the next page begins, as clients hand it back."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).rstrip(b"=").decode()


def read_cursor(cursor: str | None, parts: int) -> list[str] | None:
    """Read what `write_cursor` wrote.

    Raises:
        ProblemError: 422: it is none.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if isinstance(place, list) and len(place) == parts and all(isinstance(each, str) for each in place):
            return place
    except (ValueError, RecursionError):
        pass
    faults = [InvalidPart("query cursor", "is not valid")]
    raise ProblemError(422, "The cursor is none of an earlier page.", faults)
