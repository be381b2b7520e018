"""Has alerts sent again that were given up: an operator has mended why."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.rows import dict_row

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.alerts import Channel, DeliveryState
from account_alerts.model.durations import parse_duration
from account_alerts.model.errors import InvalidRequestError
from delivery.ledger import statements

STATES = (DeliveryState.REJECTED, DeliveryState.EXPIRED)


@dataclass(frozen=True)
class Selection:
    """Which alerts, of those that were given up; all of what is not None must hold."""

    alert_ids: Sequence[str] | None = None
    reason: str | None = None
    """What the reason begins with."""
    channel: str | None = None
    since: str | None = None
    """Received within this time: `90m`."""


@dataclass(frozen=True)
class Retried:
    """How many alerts were found."""

    sent_again: int
    too_old: int
    """Older than `senders.max_deferral`: a sender would record them as expired."""
    erased: int
    """Their record is erased."""


def retry(config: Config, selection: Selection, *, dry_run: bool = False) -> Retried:
    """Make alerts due that were rejected or have expired; with `dry_run` only count them.

    A sender decides on each as on one that is late: it is cancelled where the customer may not or does not
    want to have it any more.

    Raises:
        InvalidRequestError: `since` is no duration, `channel` is none, or nothing is selected.
        DatabaseError: The ledger cannot be asked.
    """
    if selection == Selection(channel=selection.channel):
        raise InvalidRequestError("give the ids of alerts, --reason or --since")
    if selection.channel is not None and selection.channel.upper() not in Channel.__members__:
        raise InvalidRequestError(f"--channel: {selection.channel} is none of {', '.join(Channel)}")
    values: dict[str, Any] = asdict(selection) | {
        "alert_ids": None if selection.alert_ids is None else list(selection.alert_ids),
        "channel": selection.channel and selection.channel.upper(),
        "since": None if selection.since is None else _duration(selection.since),
        "states": list(STATES),
        "max_deferral": config.require("senders").max_deferral,
        "dry_run": dry_run,
    }
    with postgres.connect(config.require("delivery"), row_factory=dict_row) as connection:
        found: Any = connection.execute(statements.RETRY, values).fetchone()
    return Retried(**found)


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidRequestError(f"--since: {error}") from error
