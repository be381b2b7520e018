"""TODO."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

VARIABLE = "ALERTS_CONFIG"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The environment's YAML file (default: conf/local.yaml).",
        envvar=VARIABLE,
        show_default=False,
    ),
]


if TYPE_CHECKING:
    from account_alerts.config import Config

JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable: JSON, one object a line.")]
JsonFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON: one record, or an array.")]


def _config() -> "Config":
    # The main command has put its --config where this looks.
    from account_alerts.config import load

    return load()


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
