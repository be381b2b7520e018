"""What the sections of the configuration are made of: units, texts, and what a field says of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints
from pydantic.fields import FieldInfo

from account_alerts.model.durations import parse_duration

PREFIX = "ALERTS_"
"""What the names of environment variables begin with."""

Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(lambda ms: f"{ms}ms")]
"""A duration: text such as `10s` in the file, milliseconds in the program."""

Memory = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*[mg]$")]
"""An amount of memory in MiB or GiB, as Java reads it: `512m`, `4g`."""

Port = Annotated[int, Field(ge=1, le=65535)]
Positive = Annotated[int, Field(ge=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
"""Hosts that nobody else reaches, or is reached by."""
PythonMode = Literal["thread", "process"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class LocalPort:
    """Marks an address that follows a port of the local environment where it is not given."""

    key: str
    """The port's key in the section `local`."""
    template: str = "{}"
    """The address, with `{}` for the port."""


def nested(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a field holds, if it holds one."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def walk(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    """List every key of a section and of those below it, with its path."""
    for name, field in model.model_fields.items():
        yield (*path, name), field
        if section := nested(field):
            yield from walk(section, (*path, name))


def find(data: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path in nested dictionaries; None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
