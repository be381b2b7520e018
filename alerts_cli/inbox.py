"""`alerts inbox`: what the local gateways have taken."""

from typing import Annotated

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App()
_Channel = Annotated[str, typer.Argument(metavar="mail|sms|push", help="Which gateway's.")]
_To = Annotated[str | None, typer.Option("--to", help="Only to this address, number or device.")]


@app.command(epilog="Example: alerts inbox mail")
def inbox(channel: _Channel, to: _To = None, as_json: JsonFlag = False) -> None:
    """Show what customers got by mail, SMS or push locally, and how many ms after the booking."""
    from account_alerts.postgres import DatabaseError
    from devenv.fake_gateways import INBOXES
    from devenv.fake_gateways import received as reading

    words = INBOXES.values()
    if channel not in words:
        raise typer.BadParameter(f"{channel!r}: take {', '.join(words)}", param_hint="|".join(words))
    config = load_config()
    found = reading.items(config, channel, to)
    try:
        found = reading.with_times(config, found) if found else found
    except DatabaseError as error:
        typer.echo(f"alerts: no times, as the senders' ledger cannot be asked: {error}", err=True)
    if as_json:
        print_json([item.as_dict() for item in found], indent=2)
        return
    for item in found:
        typer.echo(item.line())
