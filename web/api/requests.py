"""What requests have in common: versions of what they change, keys of what they create, and problems."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from account_alerts.service.problems import MEDIA_TYPE, ProblemError
from web.auth.dependencies import Customer
from web.parts import Parts
from web.security import API
from web.store import requests
from web.store.pools import Connection

PREFIX = f"{API}v1"
MOST_OF_A_PAGE = 200
_MEANINGS = {
    400: "The body is no JSON, or a header is missing that the request needs",
    401: "There is no valid bearer token",
    403: "The token is valid, but no customer's",
    404: "There is no such thing among what is the customer's",
    409: "It does not fit what is there",
    412: "It was changed meanwhile: read it again",
    413: "The body is too long",
    422: "A field is not valid; `errors` name each",
    428: "The header If-Match is missing: the ETag of what is changed",
    429: "Too many requests; `Retry-After` says when to try again",
    503: "A part of the bank's systems does not answer; `Retry-After` says when to try again",
}


_FAULT = {
    "type": "object",
    "required": ["pointer", "detail"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "A JSON pointer into the body, such as `#/threshold_minor`, or `query limit`",
        },
        "detail": {"type": "string"},
    },
}
_PROBLEM = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": _FAULT},
    },
}
"""A problem (RFC 9457)."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, beside those of every one."""
    wanted = sorted({401, 403, 422, 429, 503, *statuses})
    return {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status in wanted
    }


Limit = Annotated[int, Query(ge=1, le=MOST_OF_A_PAGE, description="How many at most")]
Cursor = Annotated[str | None, Query(max_length=4000, description="`next` of the page before")]


def etag(version: str) -> dict[str, str]:
    """Return the header that tells a version."""
    return {"ETag": f'"{version}"'}


def expected_version(if_match: Annotated[str | None, Header()] = None) -> str | None:
    """Return the version that a change was made of; None where the client takes any (`*`).

    Raises:
        ProblemError: 428: the request does not say.
    """
    if if_match is None:
        raise ProblemError(428, "Send If-Match with the ETag of what you change.")
    return None if if_match.strip() == "*" else if_match.strip().removeprefix("W/").strip('"')


Expected = Annotated[str | None, Depends(expected_version)]


def idempotency_key(
    idempotency_key: Annotated[
        str | None,
        Header(description="A new one for each creation; a repetition within a day changes nothing"),
    ] = None,
) -> str:
    """Return the key of a creation.

    Raises:
        ProblemError: 400: there is none, or one that is too long.
    """
    if not idempotency_key or len(idempotency_key.encode()) > 255 or not idempotency_key.isprintable():
        raise ProblemError(400, "Send Idempotency-Key: a text of at most 255 bytes, new for each creation.")
    return idempotency_key


IdempotencyKey = Annotated[str, Depends(idempotency_key)]


class Created(BaseModel):
    """An answer that can be given again."""

    status: int
    body: Any
    headers: dict[str, str] = {}

    def respond(self) -> JSONResponse:
        """Write it."""
        return JSONResponse(self.body, self.status, self.headers)


async def create_once(
    parts: Parts,
    customer: Customer,
    key: str,
    request: BaseModel,
    create: Callable[[Connection], Awaitable[Created]],
) -> JSONResponse:
    """Create something in a transaction, unless the same request has done it already.

    Args:
        parts: The application's.
        customer: Who asks.
        key: The request's idempotency key.
        request: Its body.
        create: Creates it, and says what is answered.

    Raises:
        KeyReusedError: The key was used for another request.
        DatabaseError: The bank's database is away.
    """
    text = f"{type(request).__name__} {request.model_dump_json()}"
    hashed = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    async with parts.bank.write(customer.changed_by) as connection:
        known = await requests.find_answer(connection, customer.customer_id, key, hashed)
        if known is not None:
            return Created.model_validate(known).respond()
        created = await create(connection)
        await requests.keep_answer(
            connection, customer.customer_id, key, hashed, created.model_dump(mode="json")
        )
    return created.respond()
