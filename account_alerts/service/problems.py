"""The endpoint's errors as problem details (RFC 9457), in one place.

An answer that is no success has the media type `application/problem+json`:

    {"title": "Unprocessable Entity", "status": 422, "detail": "Nothing was written: 1 error in the request.",
     "errors": [{"pointer": "#/1/product", "detail": "String should match ... Send capital letters, ..."}]}

`title` is HTTP's own phrase, as there is no `type`; `detail` is for this case; `errors` name parts of the
body by JSON pointers (RFC 6901). What was sent is never repeated: it may be personal.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from account_alerts.model.errors import InvalidRequestError

MEDIA_TYPE = "application/problem+json"


class InvalidPart(NamedTuple):
    """What is wrong with a part of the body, and the remedy."""

    pointer: str
    """A JSON pointer as a URI fragment, such as `#/1/product`; `#` is the whole body."""
    detail: str


class ProblemError(InvalidRequestError):
    """A request that is not accepted, nothing of it."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[InvalidPart] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say why, and what to do.

        Args:
            status: Of HTTP.
            detail: What is wrong, and the remedy.
            errors: Parts of the body that are wrong.
            headers: Headers of the answer.
        """
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers


def respond(problem: ProblemError) -> JSONResponse:
    """Write a problem as an answer."""
    content: dict[str, object] = {
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = [error._asdict() for error in problem.errors]
    return JSONResponse(content, problem.status, problem.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have the framework's own errors, such as of an unknown path, answered in the same form."""

    @app.exception_handler(HTTPException)
    async def answer(_: Request, error: HTTPException) -> Response:
        return respond(ProblemError(error.status_code, str(error.detail), headers=error.headers))
