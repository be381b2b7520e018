"""`alerts settings`: customers' settings, straight on their topic."""

from typing import Annotated

import typer

from alerts_cli import customer_records
from alerts_cli.options import App, JsonFile, JsonFlag

app = App(help="Look at and change what customers asked for.")


@app.command(epilog="Example: alerts settings put customers.json")
def put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write customers' settings; each replaces what the customer had."""
    customer_records.put("SETTINGS", file, as_json)


@app.command(epilog="Example: alerts settings get 2 > customer.json")
def get(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Show a customer's settings as JSON."""
    customer_records.get("SETTINGS", customer_id)


@app.command(epilog="Example: alerts settings delete 2")
def delete(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: the customer left."""
    customer_records.delete("SETTINGS", customer_id)
