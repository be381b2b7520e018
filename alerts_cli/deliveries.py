"""`alerts deliveries`: what became of alerts and why, sending them again, and forgetting a customer."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App(help="What became of alerts: the senders' ledger.")


@app.command("list", epilog="Example: alerts deliveries list --customer 8000 --state DEFERRED --since 24h")
def list_deliveries(
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those in this state: SENT, DEFERRED, ...")] = None,
    since: Annotated[str | None, typer.Option(help="Only those received within this time: 90m, 7d.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many, the newest first.")] = 50,
    as_json: JsonFlag = False,
) -> None:
    """List deliveries, the newest first; addresses and accounts are masked."""
    from delivery.ledger import audit
    from operations.tables import print_table

    listed = audit.find(load_config(), customer=customer, state=state, since=since, limit=limit)
    rows = [found.as_dict() for found in listed]
    if as_json:
        for row in rows:
            print_json(row)
        return
    columns = ("RECEIVED (UTC)", "ALERT", "CHANNEL", "STATE", "TYPE", "CUSTOMER", "ADDRESS", "REASON")
    print_table(columns, map(_row, rows))


@app.command(epilog="Example: alerts deliveries why 5f1d3a0c9b7e4f2288d1c0a4b6e7f913")
def why(alert_id: Annotated[str, typer.Argument(help="The alert's id.")], as_json: JsonFlag = False) -> None:
    """Say why an alert was raised and what became of it: booking, setting, balances, time of every step."""
    from delivery.ledger import audit

    found = audit.explain(load_config(), alert_id)
    if as_json:
        print_json(found, indent=2)
    else:
        typer.echo(audit.format_explanation(found))


@app.command(epilog='Example: alerts deliveries retry --reason "SMTP 550" --since 12h --dry-run')
def retry(
    alert_ids: Annotated[list[str] | None, typer.Argument(help="Ids of alerts, as list shows them.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those whose reason begins so.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only of this channel: EMAIL, SMS, PUSH.")] = None,
    since: Annotated[str | None, typer.Option(help="Only those received within this time: 90m, 7d.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Send alerts again that were rejected or have expired, once what was wrong is mended.

    Each is looked at again: it is cancelled where the customer may not or does not want to have it any more.
    Those older than senders.max_deferral are left as they are.
    """
    from dataclasses import asdict

    from delivery.ledger.retry import Selection
    from delivery.ledger.retry import retry as send_again

    found = send_again(load_config(), Selection(alert_ids, reason, channel, since), dry_run=dry_run)
    if as_json:
        print_json(asdict(found) | {"dry_run": dry_run})
        return
    left = [(found.too_old, "too old for senders.max_deferral"), (found.erased, "erased")]
    typer.echo(
        f"{'Would send' if dry_run else 'Sends'} {found.sent_again} again."
        + "".join(f" {count} left: {why}." for count, why in left if count)
    )


@app.command(epilog="Example: alerts deliveries erase 8000")
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id.")], as_json: JsonFlag = False
) -> None:
    """Erase what the ledger has of a customer; what is deferred is not sent. Ids and times stay."""
    from delivery.ledger import audit

    count = audit.erase(load_config(), customer)
    if as_json:
        print_json({"erased": count})
    else:
        typer.echo(f"Erased {count} deliveries.")


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    received = datetime.fromtimestamp(found["received_at"] / 1000, UTC)
    return (
        f"{received:%Y-%m-%d %H:%M:%S}",
        *(found[name] for name in ("alert_id", "channel", "state", "alert_type")),
        found["customer_id"] or "erased",
        found["address"],
        found["reason"],
    )
