"""What the bank's own people do, noted before it is done."""

from collections.abc import Sequence
from enum import StrEnum

from web.auth.identity import Identity
from web.store.pools import Row, Store

_RECORD = "INSERT INTO operator_actions (done_by, action, subject, reason) VALUES (%s, %s, %s, %s)"

_NEWEST = """
SELECT DISTINCT ON (subject) subject, action, done_by, (extract(epoch FROM done_at) * 1000)::bigint AS done_ms
FROM operator_actions WHERE action = ANY (%s) AND subject = ANY (%s) ORDER BY subject, id DESC
"""


class Action(StrEnum):
    """What may be done."""

    LOOK_UP = "LOOK_UP"
    LOOK_AT_DEAD_LETTER = "LOOK_AT_DEAD_LETTER"
    REPLAY = "REPLAY"
    REPAIR = "REPAIR"
    ASK_FOR_RULE = "ASK_FOR_RULE"
    AGREE_TO_RULE = "AGREE_TO_RULE"
    WITHDRAW_RULE = "WITHDRAW_RULE"
    START_RULE = "START_RULE"
    STOP_RULE = "STOP_RULE"
    RELEASE_ALERTS = "RELEASE_ALERTS"
    DISCARD_ALERTS = "DISCARD_ALERTS"
    ERASE = "ERASE"


async def record(bank: Store, by: Identity, action: Action, subject: str, reason: str = "") -> None:
    """Note who does what, to what, and why; committed when this returns.

    Raises:
        DatabaseError: It cannot be noted; then it must not be done.
    """
    async with bank.read() as connection:
        await connection.execute(_RECORD, (by.subject, action.value, subject, reason))


async def newest(bank: Store, kinds: Sequence[Action], subjects: Sequence[str]) -> dict[str, Row]:
    """Return the newest action of some kinds on each subject: `action`, `done_by`, `done_ms`.

    Raises:
        DatabaseError: The bank's database is away.
    """
    async with bank.read() as connection:
        cursor = await connection.execute(_NEWEST, ([kind.value for kind in kinds], list(subjects)))
        return {row["subject"]: row for row in await cursor.fetchall()}
