"""What is asked for about analysts' rules, in the bank's table `rule_requests`; a start needs two people."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import psycopg
from psycopg.errors import CheckViolation, UniqueViolation
from psycopg.rows import dict_row

from account_alerts import postgres
from account_alerts.config import Config
from account_alerts.model.analyst_rule import Rule, RuleError
from account_alerts.model.errors import InvalidRequestError

LOST_SECONDS = 900
"""A request that was begun so long ago and has no end is taken for lost: its process was killed."""


class RuleAction(StrEnum):
    """What can be asked for."""

    TEST = "TEST"
    BACK_TEST = "BACK_TEST"
    START = "START"
    STOP = "STOP"
    RESUME = "RESUME"
    DISCARD = "DISCARD"


@dataclass(frozen=True)
class RuleRequest:
    """One request; times are milliseconds UTC."""

    id: int
    rule: str
    action: RuleAction
    sql: str
    reason: str
    asked_by: str
    asked_at: int
    agreed_by: str | None
    agreed_at: int | None
    withdrawn_by: str | None
    begun_at: int | None
    ended_at: int | None
    succeeded: bool | None
    outcome: str | None

    @property
    def waits(self) -> bool:
        """Whether a second person has to agree."""
        return self.action is RuleAction.START and self.agreed_by is None and self.withdrawn_by is None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """Read a row of the table."""
        values: dict[str, Any] = {
            name: _ms(value) if isinstance(value, datetime) else value for name, value in row.items()
        }
        return cls(**{**values, "action": RuleAction(row["action"])})


class RequestError(InvalidRequestError):
    """Something that cannot be asked for, or agreed to; the message says why."""


def newest(config: Config) -> dict[tuple[str, RuleAction], RuleRequest]:
    """Return the newest request of each rule and action.

    Raises:
        DatabaseError: The bank's database is away.
    """
    sql = "SELECT DISTINCT ON (rule, action) * FROM rule_requests ORDER BY rule, action, id DESC"
    with _connect(config) as connection:
        found = [RuleRequest.from_row(row) for row in connection.execute(sql).fetchall()]
    return {(request.rule, request.action): request for request in found}


def ask(config: Config, rule: Rule, action: RuleAction, by: str, reason: str = "") -> int:
    """Ask for something; return the request's id.

    Raises:
        RequestError: A start of this rule waits for a second person already.
        DatabaseError: The bank's database is away.
    """
    sql = (
        "INSERT INTO rule_requests (rule, action, sql, reason, asked_by)"
        " VALUES (%s, %s, %s, %s, %s) RETURNING id"
    )
    try:
        with _connect(config) as connection:
            values = (rule.name, action.value, rule.sql, reason, by)
            [row] = connection.execute(sql, values).fetchall()
    except UniqueViolation:
        raise RequestError(f"{rule.name}: its start waits for a second person already") from None
    return int(row["id"])


def agree(config: Config, request: int, by: str) -> RuleRequest:
    """Agree to a start that somebody else asked for.

    Raises:
        RequestError: They asked for it themselves, or it does not wait any more.
        DatabaseError: The bank's database is away.
    """
    sql = (
        "UPDATE rule_requests SET agreed_by = %s, agreed_at = clock_timestamp() WHERE id = %s"
        " AND action = 'START' AND agreed_by IS NULL AND withdrawn_by IS NULL RETURNING *"
    )
    try:
        with _connect(config) as connection:
            rows = connection.execute(sql, (by, request)).fetchall()
    except CheckViolation:
        raise RequestError("You asked for it: somebody else has to agree.") from None
    return _one(rows)


def withdraw(config: Config, request: int, by: str) -> RuleRequest:
    """Take back a start that waits for a second person; anyone who may agree may also refuse.

    Raises:
        RequestError: It does not wait any more.
        DatabaseError: The bank's database is away.
    """
    sql = (
        "UPDATE rule_requests SET withdrawn_by = %s WHERE id = %s"
        " AND action = 'START' AND agreed_by IS NULL AND withdrawn_by IS NULL RETURNING *"
    )
    with _connect(config) as connection:
        return _one(connection.execute(sql, (by, request)).fetchall())


def claim(config: Config) -> RuleRequest | None:
    """Begin the oldest request that is to be carried out; None where there is none.

    Raises:
        DatabaseError: The bank's database is away.
    """
    sql = """
    UPDATE rule_requests SET begun_at = clock_timestamp() WHERE id = (
      SELECT id FROM rule_requests
      WHERE begun_at IS NULL AND ended_at IS NULL AND withdrawn_by IS NULL
        AND (action <> 'START' OR agreed_by IS NOT NULL)
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) RETURNING *
    """
    with _connect(config) as connection:
        connection.execute(
            "UPDATE rule_requests SET ended_at = clock_timestamp(), succeeded = false, outcome = %s"
            " WHERE ended_at IS NULL AND begun_at < now() - %s * interval '1 s'",
            ("Its process ended before it was done. Look whether it was, and ask again.", LOST_SECONDS),
        )
        rows = connection.execute(sql).fetchall()
    return RuleRequest.from_row(rows[0]) if rows else None


def finish(config: Config, request: int, *, succeeded: bool, outcome: str) -> None:
    """Note what came of a request."""
    sql = (
        "UPDATE rule_requests SET ended_at = clock_timestamp(), succeeded = %s, outcome = %s"
        " WHERE id = %s AND ended_at IS NULL"
    )
    with _connect(config) as connection:
        connection.execute(sql, (succeeded, outcome.replace("\0", "") or "done", request))


def require_agreement(config: Config, rules: list[Rule]) -> None:
    """Let rules start only if somebody agreed to their text, where the configuration wants two people.

    Raises:
        RuleError: Nobody did.
        DatabaseError: The bank's database is away.
    """
    if not config.analyst_rules.two_people:
        return
    sql = (
        "SELECT sql = %s AS same FROM rule_requests WHERE rule = %s AND action = 'START'"
        " AND agreed_by IS NOT NULL ORDER BY id DESC LIMIT 1"
    )
    with _connect(config) as connection:
        for rule in rules:
            rows = connection.execute(sql, (rule.sql, rule.name)).fetchall()
            if not rows or not rows[0]["same"]:
                was = "was agreed to with another text" if rows else "was agreed to by nobody"
                raise RuleError(
                    f"{rule.name}: {was}, and analyst_rules.two_people wants it: ask for its start on the "
                    "operators' page /operator/rules, where a second person agrees"
                )


def _one(rows: list[dict[str, Any]]) -> RuleRequest:
    if not rows:
        raise RequestError("It does not wait any more: look at the list.")
    return RuleRequest.from_row(rows[0])


def _connect(config: Config) -> psycopg.Connection[dict[str, Any]]:
    return postgres.connect(config.require("bank"), row_factory=dict_row)  # type: ignore[return-value]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
