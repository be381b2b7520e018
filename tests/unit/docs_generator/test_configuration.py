from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr

from account_alerts.config.types import Duration, Port, Section
from docs_generator import configuration


class Inherited(Section):
    """A section that another one takes up."""

    first: int = 1
    """Comes first."""


class Example(Inherited):
    """An example.

    More about it.
    """

    wait: Annotated[Duration, Field(ge=1000)] = 300_000
    """How long to wait"""
    port: Port
    kind: Literal["a", "b"] = "a"
    password: SecretStr | None = None
    switch: bool = False


@pytest.fixture
def lines() -> list[str]:
    text = "\n\n".join(configuration._keys("example", Example))
    return [" ".join(item.split()) for item in text.split("\n- ")]


def test_a_key_has_type_limits_default_meaning_and_variable(lines: list[str]) -> None:
    expected = (
        "`wait`: duration, at least 1s. Default `5m`. How long to wait. Variable `ALERTS_EXAMPLE__WAIT`."
    )
    assert expected in lines


def test_docstrings_of_inherited_keys_are_found(lines: list[str]) -> None:
    assert lines[0] == "- `first`: number. Default `1`. Comes first. Variable `ALERTS_EXAMPLE__FIRST`."


@pytest.mark.parametrize(
    "line",
    [
        "`port`: port. Required. Variable `ALERTS_EXAMPLE__PORT`.",
        "`kind`: `a` or `b`. Default `a`. Variable `ALERTS_EXAMPLE__KIND`.",
        "`password`: **secret**. Variable `ALERTS_EXAMPLE__PASSWORD`.",
        "`switch`: `true` or `false`. Default `false`. Variable `ALERTS_EXAMPLE__SWITCH`.",
    ],
)
def test_types_are_named(lines: list[str], line: str) -> None:
    assert line in lines
