"""One-click unsubscribe (RFC 8058): where `List-Unsubscribe` and the link in a mail's foot lead to.

A mail program posts by itself, without cookies and from no page. So this needs no login and goes by no
origin: the signed token says whose settings it is about, and ends mails, nothing else. A GET changes nothing,
but asks: programs that check mails follow every link.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse

from account_alerts.service.problems import ProblemError
from delivery.gateways.email.unsubscribe import UnsubscribeLinks, Unsubscription
from web.parts import Parts, parts_of
from web.security import UNSUBSCRIBE
from web.store import customers
from web.store.unsubscribe import end_mails
from web.texts import choose

router = APIRouter(prefix=UNSUBSCRIBE.rstrip("/"), include_in_schema=False)


def read_token(request: Request, token: str) -> Unsubscription:
    """Return what a link ends.

    Raises:
        ProblemError: 404: it was not made by this bank, or links are not set up.
    """
    senders = parts_of(request).config.senders
    email = None if senders is None else senders.email
    links = None if email is None else UnsubscribeLinks.of(email)
    found = None if links is None else links.read(token)
    if found is None:
        raise ProblemError(404, "This link does not hold. Log in to change what you are told.")
    return found


Ended = Annotated[Unsubscription, Depends(read_token)]
TheParts = Annotated[Parts, Depends(parts_of)]


@router.get("/{token}")
async def ask(request: Request, ended: Ended, parts: TheParts) -> HTMLResponse:
    """Ask whether the mails shall end."""
    return await _page(request, ended, parts, done=False)


@router.post("/{token}")
async def end(
    request: Request,
    ended: Ended,
    parts: TheParts,
    one_click: Annotated[Literal["One-Click"], Form(alias="List-Unsubscribe")],
) -> HTMLResponse:
    """End the mails, for a mail program or the page's button."""
    await end_mails(parts.bank, ended.customer_id, ended.setting_ids)
    return await _page(request, ended, parts, done=True)


async def _page(request: Request, ended: Unsubscription, parts: Parts, *, done: bool) -> HTMLResponse:
    async with parts.bank.read() as connection:
        customer = await customers.find(connection, ended.customer_id)
    page = parts.templates.render(
        "unsubscribe.html",
        text=choose("en" if customer is None else customer.language),
        all_mails=not ended.setting_ids,
        done=done,
        path=request.url.path,
    )
    return HTMLResponse(page)
