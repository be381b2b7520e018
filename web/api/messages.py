"""The inbox: what the customer was told, where it went, and why."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from account_alerts.config import Config
from account_alerts.model.errors import NotFoundError
from account_alerts.records.codec import Codec, CodecError, Record, codec
from account_alerts.service.problems import InvalidPart, ProblemError
from delivery.ledger.audit import list_steps, mask_address
from delivery.reasons import integer_param, list_reasons
from delivery.rendering.render import render_text
from web.api.fields import Model, Money, Time, money, read_cursor, write_cursor
from web.api.requests import PREFIX, Cursor, Limit, problems
from web.auth.dependencies import ApiCustomer, Customer, TheParts
from web.parts import Parts
from web.store import accounts, messages
from web.store.messages import Mark, Message, Position
from web.store.pools import Row

router = APIRouter(prefix=f"{PREFIX}/messages", tags=["messages"])
_MessageId = Annotated[str, StringConstraints(max_length=500)]


class Reason(BaseModel):
    """A setting that the event raised."""

    setting_id: str
    alert_type: str
    threshold: Money | None
    count: int | None
    window_minutes: int | None


class Step(BaseModel):
    """What happened to an alert, and when."""

    at: Time
    step: str
    reason: str | None


class DeliveryAnswer(BaseModel):
    """One place that the message went to, or did not."""

    channel: str
    address: str
    """So that its owner knows it."""
    state: str
    reason: str | None
    deferred_for: str | None
    due_at: Time | None
    steps: list[Step]


class MessageAnswer(BaseModel):
    """One message: an event, with all of its deliveries."""

    message_id: str
    account_id: str | None
    alert_type: str
    title: str
    text: str
    """About the most important reason."""
    also: list[str]
    """A line for each further reason."""
    quote: str | None
    """What the other party wrote, marked as theirs; show it as no words of the bank's."""
    received_at: Time
    booked_at: Time | None
    amount: Money | None
    balance: Money | None
    is_read: bool
    reasons: list[Reason]
    """Why the customer was told, the most important first."""
    deliveries: list[DeliveryAnswer]


class MessagePage(BaseModel):
    """Some messages, the newest first. A page may have fewer than asked for, and yet be followed."""

    messages: list[MessageAnswer]
    next: str | None
    """The cursor of the next page; null: there is none."""


class MessageChange(Model):
    """Whether the message is read."""

    is_read: bool


@router.get("", responses=problems())
async def list_messages(
    customer: ApiCustomer,
    parts: TheParts,
    account_id: Annotated[str | None, Query(max_length=1000)] = None,
    unread: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MessagePage:
    """List the messages about accounts that the customer may see."""
    before = _position(cursor)
    async with parts.bank.read() as connection:
        own = {each.account_id for each in await accounts.list_accounts(connection, customer.customer_id)}
    async with parts.ledger.read() as connection:
        page = await messages.read_page(
            connection,
            customer.customer_id,
            before=before,
            account_id=account_id,
            unread=unread,
            limit=limit,
        )
    shown = [each for each in page.messages if each.deliveries[0]["account_id"] in own]
    last = page.following
    following = None if last is None else write_cursor(last.received_at.isoformat(), last.alert_id)
    return MessagePage(messages=[_answer(each, customer, parts.config) for each in shown], next=following)


@router.get("/{message_id}", responses=problems(404))
async def show_message(customer: ApiCustomer, message_id: _MessageId, parts: TheParts) -> MessageAnswer:
    """Return one message: where it went, when, and why."""
    return _answer(await _find(customer, message_id, parts), customer, parts.config)


@router.patch("/{message_id}", responses=problems(400, 404, 413))
async def mark_message(
    customer: ApiCustomer, message_id: _MessageId, change: MessageChange, parts: TheParts
) -> MessageAnswer:
    """Note that a message is read, or not."""
    found = await _find(customer, message_id, parts)
    mark = Mark.READ if change.is_read else Mark.UNREAD
    async with parts.ledger.read() as connection:
        await messages.mark(connection, customer.customer_id, found.key, mark)
    answer = _answer(found, customer, parts.config)
    return answer.model_copy(update={"is_read": change.is_read})


@router.delete("/{message_id}", status_code=204, responses=problems(404))
async def delete_message(customer: ApiCustomer, message_id: _MessageId, parts: TheParts) -> None:
    """Take a message out of the inbox; the ledger keeps what became of it."""
    found = await _find(customer, message_id, parts)
    async with parts.ledger.read() as connection:
        await messages.mark(connection, customer.customer_id, found.key, Mark.DELETED)


async def _find(customer: Customer, message_id: str, parts: Parts) -> Message:
    async with parts.ledger.read() as connection:
        found = await messages.find(connection, customer.customer_id, message_id)
    if found is None or not found.deliveries[0]["account_id"]:
        raise NotFoundError("no such message")
    async with parts.bank.read() as connection:
        await accounts.check_access(connection, customer.customer_id, found.deliveries[0]["account_id"])
    return found


def _position(cursor: str | None) -> Position | None:
    place = read_cursor(cursor, 2)
    if place is None:
        return None
    try:
        return Position(datetime.fromisoformat(place[0]), place[1])
    except ValueError:
        faults = [InvalidPart("query cursor", "is not valid")]
        raise ProblemError(422, "The cursor is none of an earlier page.", faults) from None


def _answer(message: Message, customer: Customer, config: Config) -> MessageAnswer:
    first, language = message.deliveries[0], customer.profile.language
    alert = _alert(first, codec(config))
    params: Mapping[str, str] = alert["params"] if alert else {}
    currency = alert["currency"] if alert else None
    rendered = render_text(alert, language) if alert else None
    return MessageAnswer(
        message_id=message.alert_id,
        account_id=first["account_id"],
        alert_type=first["alert_type"],
        title=rendered.title if rendered else first["alert_type"],
        text=rendered.text if rendered else "",
        also=list(rendered.others) if rendered else [],
        quote=(rendered.quote or None) if rendered else None,
        received_at=message.received_at,
        booked_at=_time(alert["booked_at"]) if alert else None,
        amount=money(integer_param(params, "amount_minor"), currency, language),
        balance=money(integer_param(params, "balance_minor"), currency, language),
        is_read=message.is_read,
        reasons=[
            Reason(
                setting_id=reason["setting_id"],
                alert_type=reason["alert_type"],
                threshold=money(reason["threshold_minor"], currency, language),
                count=reason["count"],
                window_minutes=reason["window_minutes"],
            )
            for reason in (list_reasons(alert) if alert else ())
        ],
        deliveries=list(map(_delivery, message.deliveries)),
    )


def _delivery(row: Row) -> DeliveryAnswer:
    return DeliveryAnswer(
        channel=row["channel"],
        address=mask_address(row["address"]),
        state=row["state"],
        reason=row["reason"],
        deferred_for=row["deferred_for"],
        due_at=row["due_at"],
        steps=[
            Step(at=at, step=step["step"], reason=step["reason"])
            for step in list_steps(row)
            if (at := _time(step["at"])) is not None
        ],
    )


def _alert(row: Row, decoder: Codec) -> Record | None:
    """Return the alert of a delivery; None where it is erased, or cannot be read."""
    try:
        return None if row["record"] is None else decoder.decode("OutboundAlert", bytes(row["record"]))
    except CodecError:
        return None


def _time(ms: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
