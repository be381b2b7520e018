"""What the command groups share: `--config`, `--json`, and the names that commands had before."""

import functools
import inspect
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from account_alerts.config import Config
    from operations.job_runner import JobRunner

_F = TypeVar("_F", bound=Callable[..., Any])

VARIABLE = "ALERTS_CONFIG"
RENAMED = {
    "up --whole": "up --profile full",
    "submit --from-nothing": "submit --stateless",
    "rules release": "rules resume",
    "rules drop": "rules discard",
}
"""Commands and options under their former names; whoever uses one is told the new one."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"The environment's YAML file (default: {VARIABLE}, or conf/local.yaml).",
        show_default=False,
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Machine-readable: JSON.")]
JsonFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON: one record, or an array.")]


class Command(TyperCommand):
    """A command that tells whoever uses an option's former name the new one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments; a former name is a usage error."""
        for argument in args:
            _refuse_former_name(ctx, argument.partition("=")[0])
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group that tells whoever uses a command's former name the new one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; a former name is a usage error."""
        _refuse_former_name(ctx, args[0])
        return super().resolve_command(ctx, args)


class App(typer.Typer):
    """A group of commands, each of which takes `--config`."""

    def __init__(self, **settings: Any) -> None:
        """Make an empty group; `settings` are Typer's."""
        super().__init__(cls=Group, no_args_is_help=True, rich_markup_mode=None, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[_F], _F]:
        """Register a function as a command, with `--config` besides the function's own parameters."""
        register = super().command(name, cls=Command, **settings)

        def with_config(function: _F) -> _F:
            @functools.wraps(function)
            def run(*arguments: Any, config: Path | None = None, **options: Any) -> Any:
                choose_config(config)
                return function(*arguments, **options)

            signature = inspect.signature(function)
            option = inspect.Parameter(
                "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigOption
            )
            parameters = [*signature.parameters.values(), option]
            run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
            run.__annotations__ = {**function.__annotations__, "config": ConfigOption}
            register(run)
            return function

        return with_config


def choose_config(file: Path | None) -> None:
    """Make `load_config` and all processes that the command starts use a configuration file."""
    if file is not None:
        os.environ[VARIABLE] = str(file)


def load_config() -> "Config":
    """Load the configuration that the command line or the environment names."""
    from account_alerts.config import load

    return load()


def job_runner() -> "JobRunner":
    """Return what submits the configuration's jobs: to the local cluster, or to another.

    An image for a cluster has no local environment, and this loads none there.
    """
    from operations.job_runner import ClusterJobRunner

    config = load_config()
    if config.local is None:
        return ClusterJobRunner(config)
    from devenv.job_control.runner import LocalJobRunner

    return LocalJobRunner(config)


def print_json(value: Any, indent: int | None = None) -> None:
    """Print a value as JSON, on one line unless `indent` is given."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=indent))


def _refuse_former_name(ctx: Any, used: str) -> None:
    path = f"{ctx.command_path} {used}".partition(" ")[2]
    if new := RENAMED.get(path):
        ctx.fail(f"alerts {path} has another name: alerts {new}")


def parse_time(text: str | None, option: str) -> int | None:
    """Parse a day or a time into milliseconds UTC; `option` is what an error names."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: write 2026-11-01, or 2026-11-01T12:00", param_hint=option
        ) from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
