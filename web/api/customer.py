"""The customer themselves: language, time zone, quiet hours, digest, pause."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from account_alerts.model.time_zones import find_zone
from web.api.fields import Model, NewTime, Text, Time
from web.api.requests import PREFIX, Expected, etag, problems
from web.auth.dependencies import ApiCustomer, TheParts
from web.store import customers
from web.store.customers import Profile

router = APIRouter(prefix=f"{PREFIX}/customer", tags=["customer"])
_Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
_Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=100)]


def _zone(name: str) -> str:
    find_zone(name)
    return name


class CustomerAnswer(BaseModel):
    """How the customer is spoken to, and when."""

    customer_id: str
    language: str
    """BCP 47."""
    time_zone: str
    """IANA."""
    quiet_from: str | None
    """`HH:MM` by the customer's clock; null: no quiet hours."""
    quiet_to: str | None
    digest: Literal["HOURLY", "DAILY"] | None
    paused_until: Time | None
    """Not a message before; null: not paused."""


class CustomerChange(Model):
    """What is to be different; what is left out stays."""

    # The defaults are never looked at; null is none of these two.
    language: _Language = Field(default_factory=str)
    time_zone: Annotated[Text, AfterValidator(_zone)] = Field(default_factory=str)
    quiet_from: _Clock | None = None
    quiet_to: _Clock | None = None
    digest: Literal["HOURLY", "DAILY"] | None = None
    paused_until: NewTime | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        named = {"quiet_from", "quiet_to"} & self.model_fields_set
        if len(named) == 1 or (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet_from and quiet_to must be given both, or null both")
        if self.quiet_from is not None and self.quiet_from == self.quiet_to:
            raise ValueError("quiet_from and quiet_to must differ")
        return self


@router.get("", responses=problems())
async def show_customer(customer: ApiCustomer, response: Response) -> CustomerAnswer:
    """Return how the customer is spoken to, and when."""
    response.headers.update(etag(customer.profile.version))
    return _answer(customer.profile)


@router.patch("", responses=problems(400, 409, 412, 413, 428))
async def change_customer(
    customer: ApiCustomer, change: CustomerChange, expected: Expected, parts: TheParts, response: Response
) -> CustomerAnswer:
    """Change some of it. Quiet hours have both ends, or none: null takes them away."""
    values: dict[str, Any] = change.model_dump(exclude_unset=True)
    async with parts.bank.write(customer.changed_by) as connection:
        found = await customers.change(connection, customer.customer_id, values, expected)
    response.headers.update(etag(found.version))
    return _answer(found)


def _answer(profile: Profile) -> CustomerAnswer:
    return CustomerAnswer(**{name: getattr(profile, name) for name in CustomerAnswer.model_fields})
