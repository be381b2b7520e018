"""`alerts erase`: everything about a customer."""

from typing import Annotated

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App()


@app.command("erase", epilog="Example: alerts erase 8000")
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: JsonFlag = False
) -> None:
    """Erase a customer from the bank's database, the topics of settings, the ledger and the devices.

    Prints what came of each, and what no command can erase. May be repeated; exit status 1: not all was done.
    """
    from dataclasses import asdict

    from operations import erasure

    report = erasure.erase(load_config(), customer)
    if as_json:
        print_json({**asdict(report), "done": report.done, "remains": list(erasure.REMAINS)}, indent=2)
    else:
        for step in report.steps:
            typer.echo(f"{'done' if step.done else 'NOT DONE':9} {step.store}: {step.words}")
        typer.echo("What remains:")
        for words in erasure.REMAINS:
            typer.echo(f"  {words}")
    if not report.done:
        raise typer.Exit(1)
