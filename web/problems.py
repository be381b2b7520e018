"""What is answered when a request cannot be: a problem (RFC 9457) to the API, a page to a browser."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from account_alerts.model.errors import InvalidRequestError, NotFoundError, UnreachableError
from account_alerts.service.problems import InvalidPart, ProblemError, respond
from web.auth.dependencies import ForbiddenError, LoginNeededError
from web.auth.openid import LoginFailedError
from web.reach import TooOftenError
from web.security import API
from web.store.versions import ChangedMeanwhileError

_log = logging.getLogger(__name__)
_RETRY_SECONDS = "5"
_AGAIN_SECONDS = "600"
_STATUSES: dict[type[Exception], int] = {
    NotFoundError: 404,
    ChangedMeanwhileError: 412,
    TooOftenError: 429,
    InvalidRequestError: 409,
}
"""The nearest class of an error counts."""
Page = Callable[[Request, ProblemError], Awaitable[Response]]
"""Writes a problem as a page."""


def install(app: FastAPI, page: Page) -> None:
    """Have every error answered in the form that its asker reads.

    Args:
        app: The application.
        page: Writes the page for a browser.
    """

    async def answer(request: Request, problem: ProblemError) -> Response:
        if request.url.path.startswith(API):
            return respond(problem)
        return await page(request, problem)

    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        return await answer(request, error)

    @app.exception_handler(HTTPException)
    async def of_framework(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:
            detail = f"{detail}."
        return await answer(request, ProblemError(error.status_code, detail, headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, explain(error))

    for kind, status in _STATUSES.items():
        app.add_exception_handler(kind, _answering(answer, status))

    @app.exception_handler(psycopg.DataError)
    async def unstorable(request: Request, _: psycopg.DataError) -> Response:
        return await answer(request, ProblemError(422, "A text or number is none that can be kept."))

    @app.exception_handler(psycopg.IntegrityError)
    async def beyond(request: Request, error: psycopg.IntegrityError) -> Response:
        _log.warning("the database refused a change by %s", error.diag.constraint_name)
        return await answer(request, ProblemError(409, "This does not fit what is there. Read it again."))

    @app.exception_handler(UnreachableError)
    async def away(request: Request, error: UnreachableError) -> Response:
        _log.warning("%s", error)
        detail = f"A part of the bank's systems does not answer. Try again in {_RETRY_SECONDS} s."
        return await answer(request, ProblemError(503, detail, headers={"Retry-After": _RETRY_SECONDS}))

    @app.exception_handler(LoginNeededError)
    async def nobody(request: Request, _: LoginNeededError) -> Response:
        if request.method != "GET":
            return await answer(request, ProblemError(401, "Your session has ended. Log in again."))
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?{urlencode({'next': back})}", 303)

    @app.exception_handler(ForbiddenError)
    async def forbidden(request: Request, error: ForbiddenError) -> Response:
        return await answer(request, ProblemError(403, str(error)))

    @app.exception_handler(LoginFailedError)
    async def not_in(request: Request, error: LoginFailedError) -> Response:
        _log.info("%s", error)
        return await answer(request, ProblemError(400, "The login did not succeed. Log in again."))

    @app.exception_handler(Exception)
    async def defect(request: Request, _: Exception) -> Response:
        # The framework logs its stack.
        return await answer(request, ProblemError(500, "Something went wrong here. It was noted."))


def _answering(
    answer: Callable[[Request, ProblemError], Awaitable[Response]], status: int
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        text = str(error)
        headers = {"Retry-After": _AGAIN_SECONDS} if status == HTTPStatus.TOO_MANY_REQUESTS else None
        return await answer(request, ProblemError(status, f"{text[:1].upper()}{text[1:]}.", headers=headers))

    return handler


def explain(error: RequestValidationError) -> ProblemError:
    """Name each field that is wrong, and how, without repeating what was sent: that is personal."""
    parts = []
    for found in error.errors():
        where, *path = found["loc"]
        pointer = "#" + "".join(f"/{part}" for part in path) if where == "body" else f"{where} {path[0]}"
        parts.append(InvalidPart(pointer, found["msg"].removeprefix("Value error, ")))
    noun = "field is" if len(parts) == 1 else "fields are"
    return ProblemError(422, f"{len(parts)} {noun} not valid. Nothing was changed.", parts)
