"""What `alerts settings` and `alerts authorizations` do alike."""

from pathlib import Path
from typing import Literal

import typer

from account_alerts.model.errors import NotFoundError
from alerts_cli.options import load_config, print_json

KindName = Literal["SETTINGS", "AUTHORIZATIONS"]
_SHOWN = 10
"""Keys that a line names."""


def put(kind: KindName, file: Path, as_json: bool) -> None:
    """Write the records of a file, and print their keys."""
    from operations import customer_records

    keys = customer_records.put(load_config(), file, getattr(customer_records, kind))
    if as_json:
        print_json({"written": keys})
    else:
        typer.echo(f"{len(keys)} written: {', '.join(keys[:_SHOWN])}{' …' if len(keys) > _SHOWN else ''}")


def get(kind: KindName, key: str) -> None:
    """Print the newest record of a key.

    Raises:
        NotFoundError: There is none.
    """
    from operations import customer_records

    record = customer_records.get(load_config(), key, getattr(customer_records, kind))
    if record is None:
        raise NotFoundError(f"there is nothing for {key!r}")
    print_json(record, indent=2)


def delete(kind: KindName, key: str) -> None:
    """Write a tombstone for a key."""
    from operations import customer_records

    customer_records.delete(load_config(), key, getattr(customer_records, kind))
