"""TODO."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    pass
from alerts_cli.options import JsonFlag, _config, _print_json

dead_letters_app = typer.Typer(no_args_is_help=True, help="Look at records no job could use; put them back.")


@dead_letters_app.command("list", epilog="Example: alerts dead-letters list --json > letters.jsonl")
def dead_letters_list(as_json: JsonFlag = False) -> None:
    """Show dead letters: id, where each came from, its size, the reason. With --json also key and content."""
    from operations import dead_letters

    config = _config()
    records = dead_letters.Records(config)
    for letter in dead_letters.read(config):
        if as_json:
            _print_json(dead_letters.as_dict(letter, records))
        else:
            typer.echo(letter.line())


@dead_letters_app.command(
    "replay",
    epilog="Example: alerts dead-letters replay 0:12, or alerts dead-letters replay --file repaired.jsonl",
)
def dead_letters_replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as list shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Repaired lines of `list --json` instead."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Put dead letters back on the topics they came from."""
    from operations import dead_letters

    if sum((bool(ids), everything, file is not None)) != 1:
        raise typer.BadParameter("give ids, --all or --file, and only one of them")
    config = _config()
    if file is None:
        count = dead_letters.replay(config, None if everything else ids)
    else:
        count = dead_letters.replay_file(config, file)
    if as_json:
        _print_json({"written": count})
    else:
        typer.echo(f"{count} put back")
