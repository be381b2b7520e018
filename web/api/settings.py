"""What the customer wants to hear about."""

from typing import Annotated, Any, Self
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field, model_validator

from account_alerts.model.alerts import AlertType, Channel
from account_alerts.model.limits import CHANNELS_PER_SETTING
from account_alerts.model.money import exponent
from account_alerts.records.settings import violation
from account_alerts.service.problems import InvalidPart, ProblemError
from web import reach
from web.api.fields import (
    Currency,
    Minor,
    Model,
    Money,
    NewTime,
    Text,
    Time,
    money,
    read_cursor,
    write_cursor,
)
from web.api.requests import (
    PREFIX,
    Created,
    Cursor,
    Expected,
    IdempotencyKey,
    Limit,
    create_once,
    etag,
    problems,
)
from web.auth.dependencies import ApiCustomer, TheParts
from web.store import settings
from web.store.pools import Connection
from web.store.settings import Setting

router = APIRouter(prefix=PREFIX, tags=["settings"])
_LONGEST_WINDOW = 366 * 24 * 60


def _known(code: str) -> str:
    try:
        exponent(code)
    except ValueError:
        raise ValueError("must be a code of ISO 4217") from None
    return code


def _once(channels: list[Channel]) -> list[Channel]:
    if len(set(channels)) < len(channels):
        raise ValueError("must name each channel once")
    return channels


_Currency = Annotated[Currency, AfterValidator(_known)]
_Channels = Annotated[
    list[Annotated[Channel, Field(strict=False)]],
    Field(min_length=1, max_length=CHANNELS_PER_SETTING),
    AfterValidator(_once),
]
_Count = Annotated[int, Field(ge=0, lt=2**31)]
_Window = Annotated[int, Field(ge=1, le=_LONGEST_WINDOW)]
_Type = Annotated[AlertType, Field(strict=False)]


class SettingAnswer(BaseModel):
    """One alert that the customer asked for."""

    setting_id: str
    account_id: str
    alert_type: str
    channels: list[str]
    currency: str
    threshold_minor: str | None
    threshold: Money | None
    """The same, as the customer reads it."""
    count: int | None
    window_minutes: int | None
    snoozed_until: Time | None
    enabled: bool
    """False: switched off, and kept."""


class SettingPage(BaseModel):
    """Some settings, in the order of their ids."""

    settings: list[SettingAnswer]
    next: str | None
    """The cursor of the next page; null: there is none."""


class NewSetting(Model):
    """An alert to add."""

    account_id: Text
    alert_type: _Type
    channels: _Channels
    currency: _Currency
    threshold_minor: Minor | None = None
    """Needed but for counts and reminders."""
    count: _Count | None = None
    """With `window_minutes` needed for TRANSACTION_COUNT: more card payments than so many within it."""
    window_minutes: _Window | None = None
    snoozed_until: NewTime | None = None
    enabled: bool = True

    @model_validator(mode="after")
    def _valid(self) -> Self:
        if found := violation({"setting_id": "new", **_columns(self.model_dump())}):
            raise ValueError(found)
        return self


class SettingChange(Model):
    """What is to be different; what is left out stays. Snooze by `snoozed_until`, switch by `enabled`."""

    # The defaults are never looked at; null is none of these.
    channels: _Channels = Field(default_factory=list)
    currency: _Currency = Field(default_factory=str)
    threshold_minor: Minor = Field(default_factory=str)
    count: _Count = Field(default_factory=int)
    window_minutes: _Window = Field(default_factory=int)
    snoozed_until: NewTime | None = None
    enabled: bool = Field(default_factory=bool)


class TestMessage(Model):
    """Which setting's addresses a test goes to."""

    setting_id: Text


class TestSent(BaseModel):
    """A test that is on its way."""

    messages: int
    """To so many addresses and devices."""


@router.get("/settings", responses=problems())
async def list_settings(
    customer: ApiCustomer,
    parts: TheParts,
    account_id: Annotated[str | None, Query(max_length=1000)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SettingPage:
    """List the alerts that the customer asked for, on accounts that they may see."""
    place = read_cursor(cursor, 1)
    async with parts.bank.read() as connection:
        found = await settings.list_settings(
            connection,
            customer.customer_id,
            account_id=account_id,
            after=place[0] if place else None,
            limit=limit + 1,
        )
    following = write_cursor(found[limit - 1].setting_id) if len(found) > limit else None
    shown = [_answer(each, customer.profile.language) for each in found[:limit]]
    return SettingPage(settings=shown, next=following)


@router.post(
    "/settings", status_code=201, response_model=SettingAnswer, responses=problems(400, 404, 409, 413)
)
async def create_setting(
    customer: ApiCustomer, new: NewSetting, key: IdempotencyKey, parts: TheParts
) -> JSONResponse:
    """Add an alert; it counts for bookings from a second later."""

    async def create(connection: Connection) -> Created:
        made = await settings.create(connection, customer.customer_id, _columns(new.model_dump()))
        location = f"/api/v1/settings/{quote(made.setting_id, safe='')}"
        body = _answer(made, customer.profile.language).model_dump(mode="json")
        return Created(status=201, body=body, headers={"Location": location, **etag(made.version)})

    return await create_once(parts, customer, key, new, create)


@router.get("/settings/{setting_id:path}", responses=problems(404))
async def show_setting(
    customer: ApiCustomer, setting_id: str, parts: TheParts, response: Response
) -> SettingAnswer:
    """Return one alert."""
    async with parts.bank.read() as connection:
        found = await settings.find(connection, customer.customer_id, setting_id)
    response.headers.update(etag(found.version))
    return _answer(found, customer.profile.language)


@router.patch("/settings/{setting_id:path}", responses=problems(400, 404, 412, 413, 428))
async def change_setting(
    customer: ApiCustomer,
    setting_id: str,
    change: SettingChange,
    expected: Expected,
    parts: TheParts,
    response: Response,
) -> SettingAnswer:
    """Change an alert, snooze it, or switch it off or on; it counts for bookings from a second later."""
    values = _columns(change.model_dump(exclude_unset=True))
    async with parts.bank.write(customer.changed_by) as connection:
        found = await settings.change(connection, customer.customer_id, setting_id, values, expected)
        if problem := violation({**vars(found), "channels": found.channels}):
            fault = InvalidPart("#", problem)
            raise ProblemError(422, "The alert would lack something. Nothing was changed.", [fault])
    response.headers.update(etag(found.version))
    return _answer(found, customer.profile.language)


@router.delete("/settings/{setting_id:path}", status_code=204, responses=problems(404, 412, 428))
async def remove_setting(customer: ApiCustomer, setting_id: str, expected: Expected, parts: TheParts) -> None:
    """Remove an alert."""
    async with parts.bank.write(customer.changed_by) as connection:
        await settings.remove(connection, customer.customer_id, setting_id, expected)


@router.post("/test-messages", status_code=202, responses=problems(400, 404, 409, 413))
async def send_test(customer: ApiCustomer, test: TestMessage, parts: TheParts) -> TestSent:
    """Send a test to where a setting's alerts go."""
    return TestSent(messages=len(await reach.send_test(parts, customer, test.setting_id)))


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Return fields as the table has them."""
    found = dict(values)
    if found.get("threshold_minor") is not None:
        found["threshold_minor"] = int(found["threshold_minor"])
    if "channels" in found:
        found["channels"] = [str(channel) for channel in found["channels"]]
    if "alert_type" in found:
        found["alert_type"] = str(found["alert_type"])
    return found


def _answer(setting: Setting, language: str) -> SettingAnswer:
    minor = setting.threshold_minor
    return SettingAnswer(
        setting_id=setting.setting_id,
        account_id=setting.account_id,
        alert_type=setting.alert_type,
        channels=list(setting.channels),
        currency=setting.currency,
        threshold_minor=None if minor is None else str(minor),
        threshold=money(minor, setting.currency, language),
        count=setting.count,
        window_minutes=setting.window_minutes,
        snoozed_until=setting.snoozed_until,
        enabled=setting.enabled,
    )
