"""Answers to requests with an idempotency key: a repetition changes nothing and hears the same."""

import json
from typing import Any

from account_alerts.model.errors import InvalidRequestError
from web.store.pools import Connection

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%(customer)s || ' ' || %(key)s, 7))"
_FORGET = (
    "DELETE FROM api_requests WHERE customer_id = %(customer)s AND created_at < now() - interval '24 hours'"
)
_FIND = "SELECT request_hash, answer FROM api_requests WHERE customer_id = %(customer)s AND key = %(key)s"
_KEEP = """
INSERT INTO api_requests (customer_id, key, request_hash, answer)
VALUES (%(customer)s, %(key)s, %(hash)s, %(answer)s)
"""


class KeyReusedError(InvalidRequestError):
    """The key was used for another request."""


async def find_answer(
    connection: Connection, customer_id: str, key: str, request_hash: str
) -> dict[str, Any] | None:
    """Return what was answered to a request; None: it is new. Others with the key wait for the commit.

    Raises:
        KeyReusedError: The key was used for another request within a day.
    """
    values = {"customer": customer_id, "key": key}
    await connection.execute(_LOCK, values)
    await connection.execute(_FORGET, values)
    row = await (await connection.execute(_FIND, values)).fetchone()
    if row is None:
        return None
    if row["request_hash"] != request_hash:
        raise KeyReusedError("the idempotency key was used for another request; take a new one")
    answer: dict[str, Any] = row["answer"]
    return answer


async def keep_answer(
    connection: Connection, customer_id: str, key: str, request_hash: str, answer: dict[str, Any]
) -> None:
    """Keep an answer for a day, in the transaction of what it tells of."""
    values = {"customer": customer_id, "key": key, "hash": request_hash, "answer": json.dumps(answer)}
    await connection.execute(_KEEP, values)
