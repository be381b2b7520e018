"""`alerts mailbox`: mails in the local mail server."""

from typing import Annotated

import typer

from alerts_cli.options import App, load_config

app = App(help="Mails in the local mail server.")


@app.command("list", epilog="Example: alerts mailbox list anna@example.com")
def list_mails(address: Annotated[str, typer.Argument(help="Whose mails.")]) -> None:
    """List the mails of an address, numbered."""
    from devenv.fake_gateways import received as reading
    from operations.tables import print_table

    mails = map(reading.read_mail, reading.mailbox_files(load_config(), address))
    print_table(
        (">NUMBER", "DATE", "SUBJECT"),
        ((number, mail.get("Date"), mail.get("Subject")) for number, mail in enumerate(mails, 1)),
    )


@app.command(epilog="Example: alerts mailbox show anna@example.com 1")
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

    found = reading.mailbox_files(load_config(), address)
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
