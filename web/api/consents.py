"""What the customer agreed to, per purpose and channel."""

from fastapi import APIRouter
from pydantic import BaseModel

from account_alerts.model.alerts import Channel
from web.api.fields import Model, Text, Time
from web.api.requests import PREFIX, problems
from web.auth.dependencies import ApiCustomer, TheParts
from web.store import consents
from web.store.consents import Purpose

router = APIRouter(prefix=f"{PREFIX}/consents", tags=["consents"])
_SOURCE = "APP"


class ConsentAnswer(BaseModel):
    """One answer of the customer."""

    purpose: str
    channel: str
    given: bool
    changed_at: Time
    source: str
    """Where they said so."""
    wording: str
    """Which version of the text they were shown."""


class Consents(BaseModel):
    """All answers; what is not there was not asked."""

    consents: list[ConsentAnswer]


class ConsentChange(Model):
    """An answer."""

    given: bool
    wording: Text


@router.get("", responses=problems())
async def list_consents(customer: ApiCustomer, parts: TheParts) -> Consents:
    """List what the customer agreed to or refused."""
    async with parts.bank.read() as connection:
        found = await consents.list_consents(connection, customer.customer_id)
    return Consents(consents=[ConsentAnswer(**vars(each)) for each in found])


@router.put("/{purpose}/{channel}", status_code=204, responses=problems(400, 413))
async def put_consent(
    customer: ApiCustomer, purpose: Purpose, channel: Channel, change: ConsentChange, parts: TheParts
) -> None:
    """Note an answer; the history keeps the one before."""
    async with parts.bank.write(customer.changed_by) as connection:
        await consents.put(
            connection,
            customer.customer_id,
            purpose,
            channel,
            given=change.given,
            source=_SOURCE,
            wording=change.wording,
        )
