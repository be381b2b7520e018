"""What a route asks for to know who makes its request; nobody else gets in.

    @router.get("/alerts")
    async def alerts(customer: PageCustomer, parts: TheParts) -> Response: ...

    @router.get("/operator")
    async def chain(operator: Operator) -> Response: ...

`PageCustomer`, `Operator`, `Analyst` and `Approver` go by the session's cookie: who has none is sent to the
login, who may not gets 403. `ApiCustomer` goes by the bearer token alone: 401 and 403. Each customer's name
stands in the bank's database at this moment, else they are nobody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from account_alerts.model.errors import InvalidRequestError
from account_alerts.service.problems import ProblemError
from web.auth.identity import Identity, Role
from web.auth.openid import InvalidTokenError
from web.parts import Parts, parts_of
from web.store import customers

IDENTITY = "identity"
"""Where the session has who logged in."""
TheParts = Annotated[Parts, Depends(parts_of)]


class LoginNeededError(InvalidRequestError):
    """Nobody is logged in; the handler sends a browser to the login."""


class ForbiddenError(InvalidRequestError):
    """Somebody is logged in who may not do this."""


@dataclass(frozen=True)
class Customer:
    """The customer who makes a request."""

    profile: customers.Profile
    changed_by: str
    """What the history says of who changed something."""

    @property
    def customer_id(self) -> str:
        """Their id: the only one whose data this request may read or change."""
        return self.profile.customer_id


def session_identity(request: Request) -> Identity | None:
    """Return who is logged in by the session's cookie."""
    found = request.session.get(IDENTITY)
    return None if found is None else Identity.from_json(found)


def page_identity(request: Request) -> Identity:
    """Return who is logged in.

    Raises:
        LoginNeededError: Nobody.
    """
    identity = session_identity(request)
    if identity is None:
        raise LoginNeededError("nobody is logged in")
    return identity


async def page_customer(identity: Annotated[Identity, Depends(page_identity)], parts: TheParts) -> Customer:
    """Return the customer who is logged in.

    Raises:
        LoginNeededError: Nobody is.
        ForbiddenError: Somebody is who is no customer of the bank.
        DatabaseError: The bank's database is away.
    """
    customer = await _find(identity, parts, "page")
    if customer is None:
        raise ForbiddenError("You are logged in, but not as a customer.")
    return customer


_BEARER = HTTPBearer(auto_error=False, description="A token of the bank's OpenID provider for this API")
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


async def api_customer(
    request: Request, parts: TheParts, _: Annotated[object, Security(_BEARER)]
) -> Customer:
    """Return the customer whose bearer token a request has.

    Raises:
        ProblemError: 401: there is no valid token. 403: it is no customer's. 429: they ask too often.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ProblemError(401, "There is no token. Send Authorization: Bearer.", headers=_CHALLENGE)
    try:
        identity = await parts.provider.identify(token.strip())
    except InvalidTokenError as error:
        detail = f"{str(error).capitalize()}. Log in again."
        raise ProblemError(401, detail, headers=_INVALID) from None
    if not parts.limits.allow(identity.subject):
        raise ProblemError(429, "Too many requests. Wait a second.", headers={"Retry-After": "1"})
    customer = await _find(identity, parts, "app")
    if customer is None:
        raise ProblemError(403, "The token is valid, but no customer's.")
    return customer


def require(role: Role) -> Callable[[Identity], Awaitable[Identity]]:
    """Make the dependency of routes for one role of the bank's own people."""

    async def holder(identity: Annotated[Identity, Depends(page_identity)]) -> Identity:
        if role not in identity.roles:
            raise ForbiddenError(f"You are logged in, but without the role {role}.")
        return identity

    return holder


async def _find(identity: Identity, parts: Parts, by: str) -> Customer | None:
    if identity.customer_id is None:
        return None
    async with parts.bank.read() as connection:
        profile = await customers.find(connection, identity.customer_id)
    return None if profile is None else Customer(profile, f"customer by {by}: {identity.subject}")


PageCustomer = Annotated[Customer, Depends(page_customer)]
ApiCustomer = Annotated[Customer, Depends(api_customer)]
Operator = Annotated[Identity, Depends(require(Role.OPERATOR))]
Analyst = Annotated[Identity, Depends(require(Role.ANALYST))]
Approver = Annotated[Identity, Depends(require(Role.APPROVER))]
