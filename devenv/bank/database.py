"""Look at and change what the bank's database knows about customers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from account_alerts.config import PROJECT, Config
from account_alerts.postgres import DatabaseError, connect
from account_alerts.records.codec import Record

_STATEMENTS = PROJECT / "database/bank_load.sql"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CUSTOMER = ("customer_id", "language", "time_zone", "quiet_from", "quiet_to", "digest")
_PREFERENCE = (
    *("customer_id", "setting_id", "account_id", "currency", "alert_type", "channels", "threshold_minor"),
    *("count", "window_minutes", "snoozed_until"),
)
_DEFAULTS = {"language": "en", "time_zone": "UTC"}


def read(file: Path) -> list[Record]:
    """Read records of a JSON file: one, or an array; AlertSettings and AccountAuthorization, also mixed.

    Raises:
        DatabaseError: The file holds no such records.
    """
    try:
        parsed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatabaseError(f"{file}: {error}") from error
    records = parsed if isinstance(parsed, list) else [parsed]
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict) or not {"customer_id", "customer_ids"} & record.keys():
            raise DatabaseError(
                f"{file}, record {number}: is neither AlertSettings nor AccountAuthorization."
            )
    return records


def load(config: Config, records: Iterable[Record]) -> tuple[int, int]:
    """Make customers and access rights what the records say, in one transaction, by COPY.

    A customer's record replaces all that they have, an account's replaces who may see it; others stay.
    Accounts, and customers who are only named, are added.

    Args:
        config: Says which database.
        records: AlertSettings and AccountAuthorization records.

    Returns:
        How many of each.

    Raises:
        DatabaseError: The database does not answer, or refuses one, for example for an unknown time zone.
    """
    settings: list[Record] = []
    authorizations: list[Record] = []
    for record in records:
        (authorizations if "customer_ids" in record else settings).append(record)
    create, merge = _STATEMENTS.read_text(encoding="utf-8").split("-- merge\n")
    try:
        with connect(config.require("bank")) as connection:
            connection.execute(create)
            _copy(connection, "new_customers", (_values(_CUSTOMER, record) for record in settings))
            _copy(connection, "new_addresses", _addresses(settings))
            _copy(connection, "new_preferences", _preferences(settings))
            _copy(connection, "new_accounts", ((record["account_id"],) for record in authorizations))
            _copy(
                connection,
                "new_rights",
                ((record["account_id"], who) for record in authorizations for who in record["customer_ids"]),
            )
            connection.execute(merge)
    except psycopg.Error as error:
        raise DatabaseError(f"not loaded, nothing was changed: {_reason(error)}") from error
    except KeyError as error:
        raise DatabaseError(f"not loaded, nothing was changed: a record without {error}") from error
    return len(settings), len(authorizations)


def show(config: Config, customer: str) -> Record | None:
    """Return a customer's record as it is published, with the accounts they may see, or None."""
    with connect(config.require("bank")) as connection:
        row = connection.execute(
            "SELECT record, ARRAY(SELECT account_id FROM access_rights AS own"
            " WHERE own.customer_id = there.customer_id ORDER BY 1)"
            " FROM published.alert_settings AS there WHERE customer_id = %s AND record IS NOT NULL",
            (customer,),
        ).fetchone()
    return None if row is None else {**row[0], "may_see": row[1]}


def run(config: Config, statements: str, user: str) -> Iterator[Sequence[Any]]:
    """Run SQL in one transaction; yields the rows of each statement that has some, names of columns first.

    Args:
        config: Says which database.
        statements: One, or several with semicolons.
        user: Who changes something, for the history.

    Raises:
        DatabaseError: It cannot be run; nothing was changed.
    """
    try:
        with connect(config.require("bank")) as connection:
            connection.execute("SELECT set_config('alerts.changed_by', %s, true)", (user,))
            cursor = connection.execute(statements.encode())
            while True:
                if cursor.description is not None:
                    yield [column.name for column in cursor.description]
                    yield from cursor
                else:
                    yield [cursor.statusmessage]
                if not cursor.nextset():
                    break
    except psycopg.Error as error:
        raise DatabaseError(f"nothing was changed: {_reason(error)}") from error


def _reason(error: psycopg.Error) -> str:
    # The detail of a violated check quotes the whole row.
    return error.diag.message_primary or str(error)


def _copy(connection: psycopg.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _values(names: Sequence[str], record: Record) -> list[Any]:
    return [record.get(name, _DEFAULTS.get(name)) for name in names]


def _addresses(settings: Iterable[Record]) -> Iterator[tuple[str, str, str]]:
    for record in settings:
        for address in record.get("addresses", ()):
            yield record["customer_id"], address["channel"], address["address"]


def _preferences(settings: Iterable[Record]) -> Iterator[list[Any]]:
    for record in settings:
        for setting in record.get("settings", ()):
            values = _values(_PREFERENCE, {**setting, "customer_id": record["customer_id"]})
            if values[-1] is not None:
                values[-1] = _EPOCH + timedelta(milliseconds=values[-1])
            yield values
