"""What the bank's own people do, noted before it is done."""

from enum import StrEnum

from web.auth.identity import Identity
from web.store.pools import Store

_RECORD = "INSERT INTO operator_actions (done_by, action, subject, reason) VALUES (%s, %s, %s, %s)"


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
