"""`alerts inbox` and `alerts mailbox`: what the local gateways have taken."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from account_alerts.config import Config

mailbox_app = typer.Typer(no_args_is_help=True, help="Mails in the local mail server.")
_Channel = Annotated[str, typer.Argument(metavar="mail|sms|push", help="Which gateway's.")]
_To = Annotated[str | None, typer.Option("--to", help="Only to this address, number or device.")]
_Json = Annotated[bool, typer.Option("--json", help="Machine-readable: JSON.")]


def _config() -> "Config":
    # The main command has put its --config where this looks.
    from account_alerts.config import load

    return load()


def inbox(channel: _Channel, to: _To = None, as_json: _Json = False) -> None:
    """Show what customers got by mail, SMS or push locally, and how many ms after the booking."""
    from account_alerts.postgres import DatabaseError
    from devenv.fake_gateways import received as reading

    if channel not in reading.CHANNELS:
        raise typer.BadParameter(
            f"{channel!r}: take {', '.join(reading.CHANNELS)}", param_hint="mail|sms|push"
        )
    config = _config()
    found = reading.items(config, channel, to)
    try:
        found = reading.with_times(config, found) if found else found
    except DatabaseError as error:
        typer.echo(f"alerts: no times, as the senders' ledger cannot be asked: {error}", err=True)
    if as_json:
        typer.echo(json.dumps([item.as_dict() for item in found], indent=2, ensure_ascii=False))
        return
    for item in found:
        typer.echo(item.line())


@mailbox_app.command("list", epilog="Example: alerts mailbox list anna@example.com")
def list_mails(address: Annotated[str, typer.Argument(help="Whose mails.")]) -> None:
    """List the mails of an address, numbered."""
    from devenv.fake_gateways import received as reading

    for number, file in enumerate(reading.mails_of(_config(), address), 1):
        mail = reading.read_mail(file)
        typer.echo(f"{number:>4}  {mail.get('Date', '')}  {mail.get('Subject', '')}")


@mailbox_app.command(epilog="Example: alerts mailbox show anna@example.com 1")
def show(
    address: Annotated[str, typer.Argument(help="Whose mail.")],
    number: Annotated[
        int, typer.Argument(min=0, help="Its number in the list; 0, or without it: the newest.")
    ] = 0,
    html: Annotated[bool, typer.Option("--html", help="Its HTML instead of its text.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="All of it, as it came.")] = False,
) -> None:
    """Show a mail of an address."""
    from devenv.fake_gateways import received as reading

    found = reading.mails_of(_config(), address)
    if not found or number > len(found):
        raise typer.BadParameter(f"{address} has {len(found)} mails", param_hint="ADDRESS NUMBER")
    file = found[number - 1]
    if raw:
        typer.echo(file.read_bytes().decode("utf-8", "replace"), nl=False)
        return
    mail = reading.read_mail(file)
    body = mail.get_body(("html",) if html else ("plain",))
    if not html:
        for name in ("From", "To", "Date", "Subject"):
            typer.echo(f"{name}: {mail.get(name, '')}")
        typer.echo()
    typer.echo("" if body is None else body.get_content(), nl=False)
