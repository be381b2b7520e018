"""`alerts deliveries`: what became of alerts, why a customer got one, and forgetting a customer."""

import json
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="What became of alerts: the senders' ledger.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@app.command("list", epilog="Example: alerts deliveries list --customer 8000 --state held --since 24h")
def list_deliveries(
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state: held, refused, ...")] = None,
    since: Annotated[str | None, typer.Option(help="Only those received within this time: 90m, 7d.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List deliveries, the newest first; addresses and accounts are masked."""
    from delivery.ledger import audit

    for found in audit.find(_config(), customer=customer, state=state, since=since, limit=limit):
        typer.echo(json.dumps(found.as_dict()) if as_json else found.line())


@app.command(epilog="Example: alerts deliveries why 5f1d3a0c9b7e4f2288d1c0a4b6e7f913")
def why(alert_id: Annotated[str, typer.Argument(help="The alert's id.")], as_json: AsJson = False) -> None:
    """Say why an alert was raised and what became of it: booking, setting, balances, time of every step."""
    from delivery.ledger import audit

    found = audit.why(_config(), alert_id)
    typer.echo(json.dumps(found, indent=2) if as_json else audit.text(found))


@app.command(epilog="Example: alerts deliveries erase 8000")
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: AsJson = False
) -> None:
    """Erase what the ledger has of a customer; what is held is not sent. Ids and times stay."""
    from delivery.ledger import audit

    count = audit.erase(_config(), customer)
    typer.echo(json.dumps({"erased": count}) if as_json else f"Erased {count} deliveries.")


def _config() -> Any:
    from account_alerts.config import load

    return load()
