"""The sections of the configuration, their units, and what must hold between their values."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from account_alerts.model.durations import parse_duration

PREFIX = "ALERTS_"


Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(lambda ms: f"{ms}ms")]
"""A duration: text such as `10s` in the file, milliseconds in the program."""

Memory = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*[mg]$")]
"""An amount of memory in MiB or GiB, as Java reads it: `512m`, `4g`."""

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
PythonMode = Literal["thread", "process"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
