"""What the customer's pages share: their texts and formats, the frame, answers to htmx, what is wrong."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from account_alerts.postgres import DatabaseError
from account_alerts.service.problems import ProblemError
from web import texts
from web.auth.dependencies import Customer
from web.customer.formats import Formats
from web.forms import Form, read_form
from web.parts import Parts, parts_of
from web.store import messages
from web.texts import Texts

_WHOLE_PAGE = {"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"}
"""How htmx, which asked for a part, shows a page instead."""
_TITLES = {404: "missing", 503: "away"}


def formats_of(customer: Customer, parts: Parts) -> Formats:
    """Return how a customer reads values, at this moment."""
    profile = customer.profile
    return Formats(texts.choose(profile.language), profile.time_zone, parts.clock.now_ms())


def is_htmx(request: Request) -> bool:
    """Tell whether htmx asks, for a part of the page."""
    return request.headers.get("hx-request") == "true"


def go_to(path: str) -> Response:
    """Send a browser to a page after a change."""
    return RedirectResponse(path, 303)


async def unread_count(parts: Parts, customer_id: str) -> str | None:
    """Return the number of unread messages in words; None where there are none, or the ledger is away."""
    try:
        async with parts.ledger.read() as connection:
            count = await messages.count_unread(connection, customer_id)
    except DatabaseError:
        return None
    if count > messages.MOST_UNREAD:
        return f"{messages.MOST_UNREAD}+"
    return str(count) if count else None


async def show(
    parts: Parts,
    customer: Customer,
    template: str,
    here: str,
    *,
    status: int = 200,
    **values: Any,
) -> Response:
    """Return a page.

    Args:
        parts: The application's.
        customer: Who reads it.
        template: Its file.
        here: Which tab it stands on.
        status: 200, or 422 where something typed cannot be saved.
        values: What the template asks for; `f` are the formats.
    """
    frame = {"t": values["f"].texts, "here": here, "unread": await unread_count(parts, customer.customer_id)}
    return HTMLResponse(parts.templates.render(template, **frame, **values), status)


def fragment(parts: Parts, template: str, formats: Formats, **values: Any) -> Response:
    """Return a part of a page, for htmx."""
    return HTMLResponse(parts.templates.render(template, t=formats.texts, f=formats, **values))


def browsers_texts(request: Request) -> Texts:
    """Return texts in the language that a browser asks for, where its customer is not known."""
    asked = []
    for each in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, weight = each.partition(";q=")
        try:
            asked.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    known = texts.names()
    return next(
        (texts.choose(tag) for _, tag in sorted(asked) if tag.split("-")[0] in known), texts.choose("en")
    )


async def problem_page(request: Request, problem: ProblemError) -> Response:
    """Say on a page what went wrong; what was typed is kept in a form that can be sent again."""
    parts, t = parts_of(request), browsers_texts(request)
    kept: list[tuple[str, str]] = []
    if problem.status == 503 and request.method == "POST":
        kept = (await _typed(request)).pairs
    name = _TITLES.get(problem.status, "wrong" if problem.status >= 500 else "")
    page = parts.templates.render(
        "customer/problem.html",
        t=t,
        title=t(f"{name}_title") if name else HTTPStatus(problem.status).phrase,
        words=t(f"{name}_text") if name else problem.detail,
        kept=kept,
        path=request.url.path,
        again=problem.status == 503 and request.method == "GET",
    )
    headers = {**(problem.headers or {}), **(_WHOLE_PAGE if is_htmx(request) else {})}
    return HTMLResponse(page, problem.status, headers)


async def _typed(request: Request) -> Form:
    try:
        return await read_form(request)
    except ProblemError:
        return Form([])
