"""Routes of the customer's messages: the inbox, live; each with why and where it went; read, deleted."""

from collections.abc import AsyncIterator
from datetime import datetime
from itertools import groupby

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from account_alerts.model.errors import NotFoundError
from account_alerts.postgres import DatabaseError
from account_alerts.records.codec import codec
from web.auth.dependencies import Customer, PageCustomer, TheParts
from web.customer import message_view
from web.customer.alerts_page import account_words
from web.customer.pages import formats_of, go_to, show, unread_count
from web.forms import read_form
from web.parts import Parts
from web.store import accounts, messages
from web.store.messages import Mark, Message, Position

router = APIRouter(include_in_schema=False)
_PAGE = 30
_IDLE_SECONDS = 15.0
"""After so long without news a line says that the connection lives: proxies close what is silent."""
_LIFE_SECONDS = 600.0
"""Then the browser connects again, and is looked at again: who logged out gets nothing more."""


@router.get("/messages")
async def inbox(
    customer: PageCustomer, parts: TheParts, unread: bool = False, account: str = "", before: str = ""
) -> Response:
    """Show a page of the inbox, the newest first."""
    return await _show(parts, customer, None, unread=unread, account=account, before=_position(before))


@router.get("/messages/live")
async def live(customer: PageCustomer, parts: TheParts, inbox: bool = False) -> Response:
    """Send what is new: the number of unread messages, and with `inbox` the messages."""
    return StreamingResponse(
        _news(parts, customer, inbox), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.post("/messages/read")
async def read_all(customer: PageCustomer, parts: TheParts) -> Response:
    """Mark all messages as read."""
    async with parts.ledger.write(customer.changed_by) as connection:
        await messages.mark_all_read(connection, customer.customer_id)
    return go_to("/messages")


@router.post("/messages/mark/{alert_id:path}")
async def mark(alert_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Mark a message as unread, or delete it."""
    form = await read_form(request)
    wanted = Mark.DELETED if form.get("do") == "delete" else Mark.UNREAD
    found = await _find(parts, customer, alert_id)
    async with parts.ledger.write(customer.changed_by) as connection:
        await messages.mark(connection, customer.customer_id, found.key, wanted)
    return go_to("/messages")


@router.get("/messages/{alert_id:path}")
async def message(alert_id: str, customer: PageCustomer, parts: TheParts) -> Response:
    """Show a message, which is read by that."""
    found = await _find(parts, customer, alert_id)
    if not found.is_read:
        async with parts.ledger.write(customer.changed_by) as connection:
            await messages.mark(connection, customer.customer_id, found.key, Mark.READ)
    return await _show(parts, customer, Message(found.key, found.deliveries, True))


async def _find(parts: Parts, customer: Customer, alert_id: str) -> Message:
    async with parts.ledger.read() as connection:
        found = await messages.find(connection, customer.customer_id, alert_id)
    if found is None:
        raise NotFoundError("no such message")
    await _check_access(parts, customer, found)
    return found


async def _check_access(parts: Parts, customer: Customer, message: Message) -> None:
    """Raise a `NotFoundError` where a message is about an account that the customer may not see any more."""
    if account_id := message.deliveries[0]["account_id"]:
        async with parts.bank.read() as connection:
            await accounts.check_access(connection, customer.customer_id, account_id)


async def _show(
    parts: Parts,
    customer: Customer,
    opened: Message | None,
    *,
    unread: bool = False,
    account: str = "",
    before: Position | None = None,
) -> Response:
    own, formats, decoder = customer.customer_id, formats_of(customer, parts), codec(parts.config)
    async with parts.bank.read() as connection:
        names = {each.account_id: each.name for each in await accounts.list_accounts(connection, own)}
    async with parts.ledger.read() as connection:
        page = await messages.read_page(
            connection, own, before=before, account_id=account or None, unread=unread, limit=_PAGE
        )
    # What was told about an account is gone with the right to see it.
    theirs = [each for each in page.messages if (each.deliveries[0]["account_id"] or "") in {"", *names}]
    lines = [message_view.line(each, decoder, formats) for each in theirs]
    shown = opened or next(iter(theirs), None)
    return await show(
        parts,
        customer,
        "customer/messages.html",
        "messages",
        f=formats,
        days=[(day, list(those)) for day, those in groupby(lines, key=lambda each: each.day)],
        detail=None if shown is None else message_view.detail(shown, decoder, formats, names),
        is_open=opened is not None,
        only_unread=unread,
        account=account,
        accounts=[(each, account_words(each, name, formats)) for each, name in names.items()],
        is_newest=before is None and not unread and not account,
        older=None if page.following is None else _cursor(page.following),
    )


async def _news(parts: Parts, customer: Customer, with_messages: bool) -> AsyncIterator[str]:
    own, decoder = customer.customer_id, codec(parts.config)
    end = parts.clock.now_ms() + _LIFE_SECONDS * 1000
    yield ": hello\n\n"
    try:
        async for row in parts.inboxes.subscribe(own, _IDLE_SECONDS):
            if parts.clock.now_ms() > end:
                return
            if row is None:
                yield ": still here\n\n"
                continue
            async with parts.ledger.read() as connection:
                found = await messages.find(connection, own, row["alert_id"])
            formats = formats_of(customer, parts)
            if found is not None and await _is_theirs(parts, customer, found):
                html = parts.templates.render(
                    "customer/_news.html",
                    t=formats.texts,
                    f=formats,
                    unread=await unread_count(parts, own),
                    line=message_view.line(found, decoder, formats) if with_messages else None,
                )
                lines = "".join(f"data: {each}\n" for each in html.splitlines())
                yield f"id: {row['received_at'].timestamp():.6f}\n{lines}\n"
    except DatabaseError:
        return  # The browser connects again, and waits longer each time.


async def _is_theirs(parts: Parts, customer: Customer, message: Message) -> bool:
    try:
        await _check_access(parts, customer, message)
    except NotFoundError:
        return False
    return True


def _cursor(position: Position) -> str:
    return f"{position.received_at.isoformat()} {position.alert_id}"


def _position(cursor: str) -> Position | None:
    at, _, alert_id = cursor.partition(" ")
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return None if found.tzinfo is None else Position(found, alert_id)
