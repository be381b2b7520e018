"""Erasing a customer from every store, with a report of what came of each."""

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Response

from operations import erasure
from web.auth.dependencies import Operator, TheParts
from web.operator.pages import page
from web.store import actions
from web.store.actions import Action

router = APIRouter(prefix="/operator/erase", include_in_schema=False)
_LONGEST, _LONGEST_TICKET = 1_000, 200
_WAIT_SECONDS = 10.0
"""A person waits for the answer; what is not done by then is reported, and repeated."""


@router.get("")
async def form(operator: Operator, parts: TheParts) -> Response:
    """Show the form."""
    return page(
        parts, operator, "erase.html", "erase", report=None, faults={}, ticket="", remains=erasure.REMAINS
    )


@router.post("")
async def erase(
    operator: Operator,
    parts: TheParts,
    customer: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    ticket: Annotated[str, Form()] = "",
) -> Response:
    """Erase the customer whose id was typed twice."""
    customer, again, ticket = customer.strip(), again.strip(), ticket.strip()
    faults = {}
    if not 0 < len(customer) <= _LONGEST or "\0" in customer:
        faults["customer"] = "Give the customer's whole id."
    elif again != customer:
        faults["again"] = "The two ids are not the same. Type it again: this cannot be undone."
    if not 0 < len(ticket) <= _LONGEST_TICKET or "\0" in ticket:
        faults["ticket"] = "Give the ticket. It is recorded with your name."
    report = None
    if not faults:
        await actions.record(parts.bank, operator, Action.ERASE, customer, ticket)
        report = await asyncio.to_thread(
            partial(erasure.erase, parts.config, customer, wait_seconds=_WAIT_SECONDS)
        )
    return page(
        parts,
        operator,
        "erase.html",
        "erase",
        status=422 if faults else 200,
        report=report,
        faults=faults,
        ticket=ticket,
        remains=erasure.REMAINS,
    )
