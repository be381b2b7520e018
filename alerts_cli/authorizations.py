"""`alerts authorizations`: who may see an account, straight on its topic."""

from typing import Annotated

import typer

from alerts_cli import customer_records
from alerts_cli.options import App, JsonFile, JsonFlag

app = App(help="Look at and change who may see an account.")


@app.command(epilog="Example: alerts authorizations put accounts.json")
def put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write who may see accounts; each record replaces the account's last one."""
    customer_records.put("AUTHORIZATIONS", file, as_json)


@app.command(epilog="Example: alerts authorizations get 2")
def get(account_id: Annotated[str, typer.Argument()]) -> None:
    """Show who may see an account as JSON."""
    customer_records.get("AUTHORIZATIONS", account_id)


@app.command(epilog="Example: alerts authorizations delete 2")
def delete(account_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: nobody may see the account any more."""
    customer_records.delete("AUTHORIZATIONS", account_id)
