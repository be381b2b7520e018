"""The device service over HTTP. Ids are opaque, so they stand in queries and bodies, not in paths.

Errors are problem details (RFC 9457), as `account_alerts.service.problems` writes them.
"""

import secrets
from typing import Annotated

from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from account_alerts.service import problems
from devenv.bank.device_service.model import (
    KINDS,
    Answer,
    Devices,
    Id,
    ListedDevice,
    Question,
    Registration,
    Removed,
)
from devenv.bank.device_service.store import Store, TooManyDevicesError, UnknownDeviceError


def make_app(store: Store, token: str | None) -> FastAPI:
    """Make the service on a store; with a token, only who sends it as a bearer token is served."""

    def authorized(authorization: Annotated[str, Header()] = "") -> None:
        if token is not None and not secrets.compare_digest(
            authorization.encode(), f"Bearer {token}".encode()
        ):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    app = FastAPI(title="Devices", docs_url=None, redoc_url=None)
    guarded = [Depends(authorized)]
    problems.install(app)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> JSONResponse:
        """Say what is wrong and where, without repeating what was sent: that is personal."""
        return problems.respond(problems.ProblemError(422, _explain(error)))

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell whether devices can be read."""
        store.check()
        return {"status": "ok"}

    @app.post("/v1/devices/lookup", dependencies=guarded)
    async def lookup(question: Question) -> Answer:
        """Return the devices of several customers at once, for the device resolver."""
        return Answer(devices=store.lookup(question.customers))

    # These wait for the disk, so they are run by threads.
    @app.post("/v1/devices", dependencies=guarded)
    def register(
        wanted: Annotated[Registration, Body(discriminator="kind")], response: Response
    ) -> ListedDevice:
        """Register a device: 201 for a new one, 200 where it was known."""
        try:
            device, new = store.register(wanted)
        except UnknownDeviceError as error:
            raise HTTPException(404, str(error)) from None
        except TooManyDevicesError as error:
            raise HTTPException(409, str(error)) from None
        response.status_code = 201 if new else 200
        return device

    @app.get("/v1/devices", dependencies=guarded)
    def listed(customer: Id) -> Devices:
        """Return a customer's devices."""
        return Devices(devices=store.devices(customer))

    @app.delete("/v1/devices", dependencies=guarded)
    def remove(customer: Id, device: Id | None = None) -> Removed:
        """Remove a customer's device; without `device` all that is known of the customer."""
        removed = store.remove(customer, device)
        if device is not None and not removed:
            raise HTTPException(404, f"the customer has no device {device}")
        return Removed(removed=removed)

    return app


def _explain(error: RequestValidationError) -> str:
    reasons = []
    for problem in error.errors():
        location = ".".join(str(part) for part in problem["loc"][1:] if part not in KINDS)
        reason = problem["msg"].removeprefix("Value error, ")
        reasons.append(f"{location}: {reason}" if location else reason)
    return "; ".join(reasons)
