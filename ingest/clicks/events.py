"""What an event must look like, and how what is wrong with it is said. Pure functions."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from account_alerts.model.errors import InvalidRequestError
from account_alerts.records.codec import Record

LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999."""
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,100}$")]
"""Printable ASCII without blanks."""
CustomerId = Annotated[str, StringConstraints(pattern=r"^[\"-~][!-~]{0,99}$")]
"""An id that does not begin with an exclamation mark: the topic's heartbeats do (udfs/partitions.py)."""
_CURES = {
    "missing": "Add it.",
    "extra_forbidden": "Leave it out; what has no field of its own goes into attributes.",
    "string_type": "Send a string.",
    "int_type": "Send a whole number of milliseconds since 1970-01-01T00:00:00Z, as Date.now() gives.",
    "json_invalid": "Send UTF-8 JSON: one event, or an array of them.",
}
_CURES_OF_FIELDS = {
    "customer_id": "Send 1 to 100 printable ASCII characters, no blanks, the first no '!'.",
    "event_type": "Send APPLICATION_BEGUN, APPLICATION_FINISHED, APPLICATION_LEFT or PAGE_VIEWED.",
    "occurred_at": "Send milliseconds since 1970-01-01T00:00:00Z, as Date.now() gives.",
    "product": "Send capital letters, digits and underscores, at most 40, such as LOAN.",
    "page": "Send the path only, such as /loans/apply: what follows ? or # may be personal.",
    "attributes": "Send at most 20 strings of at most 200 characters by names of at most 40, or null.",
}
_CURE_OF_IDS = "Send 1 to 100 printable ASCII characters, no blanks."


class ClickEvent(BaseModel):
    """One event, as schemas/ClickEvent.avsc has it; the form is strict, nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event_id: Id
    customer_id: CustomerId
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


class RefusedError(InvalidRequestError):
    """A request that is not accepted, nothing of it: an HTTP status and what is wrong, a problem each."""

    def __init__(self, status: int, problems: list[dict[str, Any]]) -> None:
        """Say what is wrong: `field`, `problem`, `cure`, and in a batch the number of the `event`."""
        super().__init__(problems)
        self.status = status
        self.problems = problems


_BATCH = TypeAdapter(list[ClickEvent])


def read_events(body: bytes, largest_batch: int) -> list[Record]:
    """The events of a request, as records of ClickEvent.

    Args:
        body: JSON, one event or an array.
        largest_batch: How many there may be.

    Raises:
        RefusedError: It is no JSON, an event is not as it must be, or there are none or too many.
    """
    text = body.strip()
    one = not text.startswith(b"[")
    if not one:
        _check_size(text, largest_batch)
    try:
        events = [ClickEvent.model_validate_json(text)] if one else _BATCH.validate_json(text)
    except ValidationError as error:
        # What was sent is not repeated: it may be personal.
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise RefusedError(422, [_explain(problem, one) for problem in problems[:20]]) from None
    return [event.model_dump() for event in events]


def _check_size(text: bytes, largest_batch: int) -> None:
    try:
        count = len(json.loads(text))
    except (ValueError, RecursionError):
        return  # Said better by who reads the events.
    if not 1 <= count <= largest_batch:
        cure = f"Send 1 to {largest_batch} events in a request."
        raise RefusedError(422, [{"field": "", "problem": f"there are {count} events", "cure": cure}])


def _explain(problem: Any, one: bool) -> dict[str, Any]:
    place = list(problem["loc"])
    event = {} if one or not place else {"event": place.pop(0)}
    message: str = problem["msg"].removeprefix("Value error, ")
    field = str(place[0]) if place else ""
    if not place and problem["type"] == "value_error":
        field, _, message = message.partition(": ")
        return {**event, "field": field, "problem": message, "cure": "Add it."}
    cure = (
        _CURES.get(problem["type"])
        or _CURES_OF_FIELDS.get(field)
        or (_CURE_OF_IDS if field.endswith("_id") else "Send one JSON object for each event.")
    )
    return {**event, "field": field, "problem": message, "cure": cure}
