"""`alerts phone`: what a customer does with their phone."""

from typing import Annotated

import typer

from alerts_cli.options import App, load_config

app = App(help="Send SMS to the bank, as a customer would.")


@app.command(epilog="Example: alerts phone send +999900001787 STOP")
def send(
    number: Annotated[str, typer.Argument(help="The phone's, international.")],
    text: Annotated[str, typer.Argument(help="What it says.")],
) -> None:
    """Send an SMS to the bank by the local SMSC, and wait until a sender has acknowledged it."""
    from devenv.fake_gateways import phone

    phone.send_sms(load_config(), number, text)
    typer.echo("acknowledged; alerts inbox sms shows an answer")
