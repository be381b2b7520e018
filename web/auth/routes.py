"""Log in and out, and where each goes from the front door."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from web.auth.dependencies import IDENTITY, TheParts, session_identity
from web.auth.identity import STAFF, Role
from web.auth.openid import CALLBACK
from web.auth.session import renew

CUSTOMERS_HOME, STAFF_HOME = "/alerts", "/operator"
_NEXT = "next"
router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request) -> Response:
    """Send each to their own page; nobody to the login."""
    identity = session_identity(request)
    if identity is None:
        return RedirectResponse("/login", 303)
    if Role.CUSTOMER not in identity.roles and identity.roles & STAFF:
        return RedirectResponse(STAFF_HOME, 303)
    return RedirectResponse(CUSTOMERS_HOME, 303)


@router.get("/login")
async def login(request: Request, parts: TheParts, next: str = "/") -> Response:  # noqa: A002 (in addresses)
    """Send a browser to the bank's login; `next` is where it goes afterwards."""
    request.session[_NEXT] = local_path(next)
    return await parts.provider.send_to_login(request)


@router.get(CALLBACK)
async def callback(request: Request, parts: TheParts) -> Response:
    """Take a browser that comes back from the login."""
    goal = local_path(request.session.get(_NEXT, "/"))
    identity = await parts.provider.finish_login(request)
    renew(request.session)
    request.session[IDENTITY] = identity.to_json()
    return RedirectResponse(goal, 303)


@router.post("/logout")
async def logout(request: Request, parts: TheParts) -> Response:
    """End the session here and at the provider."""
    renew(request.session)
    return RedirectResponse(await parts.provider.logout_url(), 303)


def local_path(text: str) -> str:
    """Return a path of this application; the front door where it is none: nobody is sent to another site."""
    fits = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fits and "\\" not in text else "/"
