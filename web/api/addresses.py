"""Where the customer is reached: addresses with their confirmation, and devices."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, StringConstraints

from account_alerts.model.alerts import Channel
from account_alerts.service.problems import InvalidPart, ProblemError
from web import reach
from web.api.fields import Model, Text, Time
from web.api.requests import PREFIX, Created, IdempotencyKey, create_once, problems
from web.auth.dependencies import ApiCustomer, TheParts
from web.devices import InvalidDeviceError
from web.store import addresses
from web.store.addresses import Address, Check
from web.store.pools import Connection

router = APIRouter(prefix=PREFIX, tags=["addresses"])
_AddressId = Annotated[str, StringConstraints(max_length=100)]


class AddressAnswer(BaseModel):
    """One address."""

    address_id: str
    channel: str
    address: str
    confirmed_at: Time | None
    """Null: it waits for its code, and nothing but that goes there."""
    stopped: bool
    """A number that sent STOP."""


class Addresses(BaseModel):
    """All of the customer's addresses."""

    addresses: list[AddressAnswer]


class NewAddress(Model):
    """An address to add. For PUSH it is left out: push goes to the customer's devices."""

    channel: Annotated[Channel, Field(strict=False)]
    address: Text | None = None


class Code(Model):
    """The code that was sent to an address."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=20)]


class DeviceAnswer(BaseModel):
    """A phone or browser that gets push messages."""

    device_id: str
    kind: str
    registered_at: Time | None


class DeviceList(BaseModel):
    """All of the customer's devices, the oldest first."""

    devices: list[DeviceAnswer]


class NewDevice(Model):
    """A device, by what the push service gave it; the same token is the same device."""

    kind: Literal["WEB_PUSH", "FCM", "APNS"]
    to: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | dict[str, Any]
    """The app's token, or the browser's subscription."""


@router.get("/addresses", responses=problems())
async def list_addresses(customer: ApiCustomer, parts: TheParts) -> Addresses:
    """List where the customer is reached, or will be."""
    async with parts.bank.read() as connection:
        found = await addresses.list_addresses(connection, customer.customer_id)
    return Addresses(addresses=list(map(_answer, found)))


@router.post(
    "/addresses", status_code=201, response_model=AddressAnswer, responses=problems(400, 404, 409, 413)
)
async def add_address(
    customer: ApiCustomer, new: NewAddress, key: IdempotencyKey, parts: TheParts
) -> JSONResponse:
    """Add an address and send a code there; it counts once the code came back."""
    if (new.address is None) != (new.channel is Channel.PUSH):
        fault = InvalidPart("#/address", "is needed, but for PUSH")
        raise ProblemError(422, "A field is not valid. Nothing was changed.", [fault])

    async def create(connection: Connection) -> Created:
        added = await reach.add_address_in(connection, parts, customer, new.channel, new.address or "")
        location = f"/api/v1/addresses/{added.address.address_id}"
        body = _answer(added.address).model_dump(mode="json")
        return Created(status=201, body=body, headers={"Location": location})

    try:
        return await create_once(parts, customer, key, new, create)
    except reach.InvalidAddressError as error:
        fault = InvalidPart("#/address", str(error))
        raise ProblemError(422, "A field is not valid. Nothing was changed.", [fault]) from None


@router.post("/addresses/{address_id}/code", status_code=202, responses=problems(404, 409))
async def send_code(customer: ApiCustomer, address_id: _AddressId, parts: TheParts) -> AddressAnswer:
    """Send a new code; the one before counts no more."""
    return _answer(await reach.send_new_code(parts, customer, address_id))


@router.post("/addresses/{address_id}/confirmation", responses=problems(400, 404, 409, 413))
async def confirm_address(
    customer: ApiCustomer, address_id: _AddressId, code: Code, parts: TheParts
) -> AddressAnswer:
    """Confirm an address by the code that was sent there; after a few wrong ones a new code is needed."""
    check = await reach.confirm_address(parts, customer, address_id, code.code)
    if check.result is Check.WRONG:
        fault = InvalidPart("#/code", f"is not the code; {check.attempts_left} attempts are left")
        raise ProblemError(422, "That is not the code.", [fault])
    if check.result is Check.OVER:
        raise ProblemError(409, "The code is no longer good. Ask for a new one.")
    async with parts.bank.read() as connection:
        return _answer(await addresses.find(connection, customer.customer_id, address_id))


@router.post("/addresses/{address_id}/start", responses=problems(404, 409))
async def start_sms(customer: ApiCustomer, address_id: _AddressId, parts: TheParts) -> AddressAnswer:
    """Let SMS go to a confirmed number again that has sent STOP."""
    return _answer(await reach.start_sms(parts, customer, address_id))


@router.delete("/addresses/{address_id}", status_code=204, responses=problems(404, 409))
async def remove_address(customer: ApiCustomer, address_id: _AddressId, parts: TheParts) -> None:
    """Remove an address; the last confirmed one of an alert that must reach the customer stays."""
    await reach.remove_address(parts, customer, address_id)


@router.get("/devices", responses=problems())
async def list_devices(customer: ApiCustomer, parts: TheParts) -> DeviceList:
    """List the customer's devices."""
    found = await parts.devices.list_devices(customer.customer_id)
    return DeviceList(devices=list(map(_device, found)))


@router.post("/devices", status_code=201, responses=problems(400, 404, 409, 413))
async def register_device(customer: ApiCustomer, new: NewDevice, parts: TheParts) -> DeviceAnswer:
    """Register a device; a repetition changes nothing."""
    try:
        return _device(await parts.devices.register(customer.customer_id, new.kind, new.to))
    except InvalidDeviceError as error:
        fault = InvalidPart("#/to", str(error))
        raise ProblemError(422, "A field is not valid. Nothing was changed.", [fault]) from None


@router.delete("/devices/{device_id}", status_code=204, responses=problems(404))
async def remove_device(customer: ApiCustomer, device_id: _AddressId, parts: TheParts) -> None:
    """Remove a device."""
    await parts.devices.remove(customer.customer_id, device_id)


def _answer(address: Address) -> AddressAnswer:
    return AddressAnswer(
        address_id=address.address_id,
        channel=address.channel.value,
        address=address.address,
        confirmed_at=address.confirmed_at,
        stopped=address.stopped,
    )


def _device(found: dict[str, Any]) -> DeviceAnswer:
    at = found.get("registered_at")
    since = datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int) else None
    return DeviceAnswer(device_id=str(found["device"]), kind=str(found["kind"]), registered_at=since)
