"""The reference of the command `alerts`, from its typer application."""

import inspect
from typing import Any

from typer.main import get_command

from alerts_cli.main import app
from docs_generator.markdown import bullets, code, page, paragraph, sentence


def cli() -> str:
    """Write the page of all commands."""
    introduction = (
        "Every command has `--help`. `alerts` is `.venv/bin/alerts` after `make install`. The option "
        "`--config FILE`, or the variable `ALERTS_CONFIG`, chooses the environment."
    )
    return page("The command `alerts`", paragraph(introduction), *_commands(get_command(app), ["alerts"]))


def command_names() -> set[str]:
    """Name every command and group, such as `alerts bank load`."""
    return set(_walk(get_command(app), ["alerts"]))


def _walk(command: Any, path: list[str]) -> list[str]:
    names = [" ".join(path)]
    for name, inner in getattr(command, "commands", {}).items():
        names += _walk(inner, [*path, name])
    return names


def _commands(command: Any, path: list[str]) -> list[str]:
    inner = getattr(command, "commands", {})
    blocks = []
    if len(path) > 1:
        blocks = [f"{'#' * min(len(path), 3)} `{' '.join(path)}`", *_describe(command, path, bool(inner))]
    for name, one in inner.items():
        blocks += _commands(one, [*path, name])
    return blocks


def _describe(command: Any, path: list[str], group: bool) -> list[str]:
    text = inspect.cleandoc(command.help or "").replace("\b", "").split("\f")[0]
    blocks = [paragraph(sentence(block)) for block in text.split("\n\n") if block.strip()]
    if group:
        return blocks
    context = command.make_context(path[-1], [], resilient_parsing=True)
    usage = " ".join([*path, *command.collect_usage_pieces(context)])
    blocks.append(code(usage, "text"))
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    blocks.append(bullets([_option(*record) for record in records if record and "--help" not in record[0]]))
    if command.epilog:
        blocks.append(_example(command.epilog))
    return blocks


def _option(name: str, meaning: str) -> str:
    text, _, facts = meaning.partition("  [")
    return f"`{name}`: {sentence(text)}" + (f" [{facts}" if facts else "")


def _example(epilog: str) -> str:
    """Show an epilog `Example: COMMAND` as code, any other as text."""
    kind, _, command = epilog.partition(": ")
    return code(command, "sh") if kind == "Example" else paragraph(sentence(epilog))
