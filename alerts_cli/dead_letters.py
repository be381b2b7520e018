"""`alerts dead-letters`: records that no job could use."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App(help="Look at records no job could use; put them back.")


@app.command("list", epilog="Example: alerts dead-letters list --json > dead-letters.jsonl")
def list_dead_letters(as_json: JsonFlag = False) -> None:
    """Show dead letters: id, where each came from, its size, the reason. With --json also key and content.

    Of a record that was too large only the first part is there; its SHA-256 stands behind the reason.
    """
    from operations import dead_letters
    from operations.tables import print_table

    config = load_config()
    if as_json:
        records = dead_letters.Records(config)
        for letter in dead_letters.read(config):
            print_json(dead_letters.as_dict(letter, records))
        return
    # Without the content: that may be personal.
    print_table(
        ("ID", "TOPIC", ">POSITION", ">BYTES", "REASON"),
        (
            (
                letter.id,
                letter.topic,
                f"{letter.partition}:{letter.offset}",
                "null" if letter.size is None else letter.size,
                f"{letter.reason} (cut; SHA-256 {letter.sha256})" if letter.is_cut else letter.reason,
            )
            for letter in dead_letters.read(config)
        ),
    )


@app.command(
    epilog="Example: alerts dead-letters replay 0:12, or alerts dead-letters replay --file repaired.jsonl",
)
def replay(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids, as list shows them.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Repaired lines of `list --json` instead."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Put dead letters back where they came from, a topic or the queue; all but those that cannot be."""
    from operations import dead_letters

    if sum((bool(ids), everything, file is not None)) != 1:
        raise typer.BadParameter("give ids, --all or --file, and only one of them")
    config = load_config()
    if file is None:
        replayed = dead_letters.replay(config, None if everything else ids)
    else:
        replayed = dead_letters.Replayed(dead_letters.replay_file(config, file), {})
    if as_json:
        print_json({"written": replayed.count, "kept": replayed.kept})
    else:
        typer.echo(f"{replayed.count} put back")
    for letter, reason in replayed.kept.items():
        typer.echo(f"{letter} cannot be put back: {reason}", err=True)
    if replayed.kept:
        raise typer.Exit(1)
