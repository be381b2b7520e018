"""TODO."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from operations.customer_records import Kind
from alerts_cli.options import JsonFile, JsonFlag, _config, _print_json

settings_app = typer.Typer(no_args_is_help=True, help="Look at and change what customers asked for.")
authorizations_app = typer.Typer(no_args_is_help=True, help="Look at and change who may see an account.")


def _put(file: Path, kind: "Callable[[], Kind]", as_json: bool) -> None:
    from operations import customer_records

    keys = customer_records.put(_config(), file, kind())
    if as_json:
        _print_json({"written": keys})
    else:
        typer.echo(f"{len(keys)} written: {', '.join(keys[:10])}{' …' if len(keys) > 10 else ''}")


def _get(key: str, kind: "Callable[[], Kind]") -> None:
    from operations import customer_records

    record = customer_records.get(_config(), key, kind())
    if record is None:
        raise customer_records.NothingThereError(f"there is nothing for {key!r}")
    typer.echo(json.dumps(record, ensure_ascii=False, indent=2))


def _delete(key: str, kind: "Callable[[], Kind]") -> None:
    from operations import customer_records

    customer_records.delete(_config(), key, kind())


def _settings() -> "Kind":
    from operations.customer_records import SETTINGS

    return SETTINGS


def _authorizations() -> "Kind":
    from operations.customer_records import AUTHORIZATIONS

    return AUTHORIZATIONS


@settings_app.command("put", epilog="Example: alerts settings put customers.json")
def settings_put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write customers' settings; each replaces what the customer had."""
    _put(file, _settings, as_json)


@settings_app.command("get", epilog="Example: alerts settings get 2 > customer.json")
def settings_get(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Show a customer's settings as JSON."""
    _get(customer_id, _settings)


@settings_app.command("delete", epilog="Example: alerts settings delete 2")
def settings_delete(customer_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: the customer left."""
    _delete(customer_id, _settings)


@authorizations_app.command("put", epilog="Example: alerts authorizations put accounts.json")
def authorizations_put(file: JsonFile, as_json: JsonFlag = False) -> None:
    """Write who may see accounts; each replaces what was said of the account."""
    _put(file, _authorizations, as_json)


@authorizations_app.command("get", epilog="Example: alerts authorizations get 2")
def authorizations_get(account_id: Annotated[str, typer.Argument()]) -> None:
    """Show who may see an account as JSON."""
    _get(account_id, _authorizations)


@authorizations_app.command("delete", epilog="Example: alerts authorizations delete 2")
def authorizations_delete(account_id: Annotated[str, typer.Argument()]) -> None:
    """Write a tombstone: nobody may see the account any more."""
    _delete(account_id, _authorizations)
