"""`alerts clicks`: events of web pages and app."""

from pathlib import Path
from typing import Annotated

import typer

from alerts_cli.options import App, load_config

app = App(help="Events of the bank's web pages and app.")


@app.command(epilog="Example: alerts clicks send --example 2")
def send(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="JSON: one event, or an array.")
    ] = None,
    example: Annotated[
        str | None,
        typer.Option(metavar="CUSTOMER", help="Instead of a file: this customer begins and leaves a loan."),
    ] = None,
    url: Annotated[str | None, typer.Option(help="The endpoint, where it is not on this machine.")] = None,
) -> None:
    """Send events to the endpoint, as a web page would; return when Kafka has them."""
    from devenv.bank import web_page

    if (file is None) == (example is None):
        raise typer.BadParameter("give a file or --example, and not both")
    events = web_page.read(file) if file else web_page.example(example or "")
    typer.echo(f"{web_page.send(load_config(), events, url)} accepted.")


@app.command(epilog="Example: ALERTS_CLICKS__SECRET=... alerts clicks token 2 --seconds 3600")
def token(
    customer: Annotated[str | None, typer.Argument(help="Whose events it lets in.")] = None,
    seconds: Annotated[int, typer.Option(help="For how long.")] = 3600,
    server: Annotated[bool, typer.Option("--server", help="Let in any customer's, as of the bank.")] = False,
) -> None:
    """Print a token as the bank's login would issue it, to try the endpoint with."""
    from devenv.bank import web_page

    if (customer is None) == (not server):
        raise typer.BadParameter("give a customer or --server, and not both")
    typer.echo(web_page.token(load_config(), customer, seconds))
