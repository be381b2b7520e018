"""Validates the events of a request. Pure functions."""

import json
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from account_alerts.records.codec import Record
from account_alerts.service.problems import InvalidPart, ProblemError

LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]
"""Printable ASCII without blanks."""
_REMEDIES = {
    "missing": "Add it.",
    "extra_forbidden": "Leave it out; what has no field of its own goes into attributes.",
    "string_type": "Send a string.",
    "int_type": "Send a whole number of milliseconds since 1970-01-01T00:00:00Z, as Date.now() gives.",
    "json_invalid": "Send UTF-8 JSON: one event, or an array of them.",
}
_FIELD_REMEDIES = {
    "event_type": "Send APPLICATION_BEGUN, APPLICATION_FINISHED, APPLICATION_LEFT or PAGE_VIEWED.",
    "occurred_at": "Send milliseconds since 1970-01-01T00:00:00Z, as Date.now() gives.",
    "product": "Send capital letters, digits and underscores, at most 40, such as LOAN.",
    "page": "Send the path only, such as /loans/apply: what follows ? or # may be personal.",
    "attributes": "Send at most 20 strings of at most 200 characters by names of at most 40, or null.",
}
_MOST_ERRORS = 20
"""More are counted, not named."""
_ID_REMEDY = "Send 1 to 100 printable ASCII characters, no blanks."


class ClickEvent(BaseModel):
    """One event of schemas/ClickEvent.avsc; validation is strict, nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event_id: Id
    customer_id: Id
    event_type: Literal["APPLICATION_BEGUN", "APPLICATION_FINISHED", "APPLICATION_LEFT", "PAGE_VIEWED"]
    occurred_at: Annotated[int, Field(ge=0, le=LATEST)]
    application_id: Id | None = None
    session_id: Id | None = None
    product: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")] | None = None
    page: Annotated[str, StringConstraints(pattern=r"^/[^?#\x00-\x20]{0,499}$")] | None = None
    attributes: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(min_length=1, max_length=40)],
                Annotated[str, StringConstraints(max_length=200)],
            ],
            Field(max_length=20),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.event_type.startswith("APPLICATION_"):
            for field in ("application_id", "product"):
                if getattr(self, field) is None:
                    raise ValueError(f"{field}: an event of type {self.event_type} needs it")
        return self


_BATCH = TypeAdapter(list[ClickEvent])


def parse_events(body: bytes, largest_batch: int) -> list[Record]:
    """Parse the events of a request into records of ClickEvent.

    Args:
        body: JSON, one event or an array.
        largest_batch: How many there may be.

    Raises:
        ProblemError: 422: no JSON, an invalid event, or none or too many.
    """
    text = body.strip()
    one = not text.startswith(b"[")
    if not one:
        _check_size(text, largest_batch)
    try:
        events = [ClickEvent.model_validate_json(text)] if one else _BATCH.validate_json(text)
    except ValidationError as error:
        # What was sent is not repeated: it may be personal.
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise _invalid([_explain(each, one=one) for each in found[:_MOST_ERRORS]], len(found)) from None
    return [event.model_dump() for event in events]


def _check_size(text: bytes, largest_batch: int) -> None:
    try:
        count = len(json.loads(text))
    except (ValueError, RecursionError):
        return  # The validation of the events says it better.
    if not 1 <= count <= largest_batch:
        detail = f"There are {count} events. Send 1 to {largest_batch} in a request."
        raise _invalid([InvalidPart("#", detail)], 1)


def _invalid(errors: list[InvalidPart], count: int) -> ProblemError:
    noun = "error" if count == 1 else "errors"
    return ProblemError(422, f"Nothing was written: {count} {noun} in the request.", errors)


def _explain(error: Any, *, one: bool) -> InvalidPart:
    # No further than the field: names within `attributes` are content.
    location: list[Any] = list(error["loc"][: 1 if one else 2])
    message: str = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and len(location) == (0 if one else 1):
        field, _, message = message.partition(": ")
        return InvalidPart(_pointer([*location, field]), f"{message}. Add it.")
    field = str(location[-1]) if location else ""
    remedy = (
        _REMEDIES.get(error["type"])
        or _FIELD_REMEDIES.get(field)
        or (_ID_REMEDY if field.endswith("_id") else "Send one JSON object for each event.")
    )
    return InvalidPart(_pointer(location), f"{message}. {remedy}")


def _pointer(location: list[Any]) -> str:
    """Write a location as a JSON pointer in a URI fragment (RFC 6901)."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "#" + "".join(f"/{quote(part, safe='', errors='replace')}" for part in parts)
