"""Routes of how a customer is reached: addresses and their codes, devices, quiet hours, pause."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from account_alerts.model.alerts import Channel
from account_alerts.model.errors import InvalidRequestError, UnreachableError
from web import reach as changes
from web import texts
from web.auth.dependencies import Customer, PageCustomer, TheParts
from web.customer import reach_page
from web.customer.alerts import read_until
from web.customer.model import Reach, Said, from_ms
from web.customer.pages import formats_of, go_to, show
from web.forms import read_form
from web.parts import Parts
from web.store import addresses, customers, live
from web.store.addresses import Check

router = APIRouter(include_in_schema=False)


@router.get("/reach")
async def reach(customer: PageCustomer, parts: TheParts, sent: str = "") -> Response:
    """Show how the customer is reached; `sent` is the address that a code was just sent to."""
    return await _page(parts, customer, sent=sent)


@router.post("/reach/addresses")
async def add_address(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Add an address, and send a code there."""
    form, t = await read_form(request), texts.choose(customer.profile.language)
    typed = form.get("address").strip()
    channel = Channel.EMAIL if "@" in typed else Channel.SMS
    try:
        added = await changes.add_address(parts, customer, channel, typed)
    except changes.InvalidAddressError:
        words = t("address_unclear", typed=typed[:60])
    except (changes.StoppedNumberError, changes.TooOftenError, addresses.TooManyAddressesError) as error:
        words = t(_REFUSALS[type(error)])
    else:
        if added.is_new:
            return go_to(_sent(added.address.address_id))
        words = t("address_there", address=added.address.address)
    said = Said({"address": typed}, {"address": words})
    return await _page(parts, customer, said, status=422)


@router.post("/reach/addresses/{address_id}/code")
async def send_code(address_id: str, customer: PageCustomer, parts: TheParts) -> Response:
    """Send another code."""
    t = texts.choose(customer.profile.language)
    try:
        await changes.send_new_code(parts, customer, address_id)
    except (changes.StoppedNumberError, changes.TooOftenError) as error:
        return await _page(parts, customer, Said(faults={address_id: t(_REFUSALS[type(error)])}), status=422)
    except InvalidRequestError:  # It is confirmed already: the page says so.
        return go_to("/reach#addresses")
    return go_to(_sent(address_id))


@router.post("/reach/addresses/{address_id}/confirm")
async def confirm(address_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Confirm an address by its code."""
    form, t = await read_form(request), texts.choose(customer.profile.language)
    check = await changes.confirm_address(parts, customer, address_id, form.get("code"))
    if check.result is Check.CONFIRMED:
        return go_to(f"/reach#{reach_page.address_anchor(address_id)}")
    left = check.attempts_left
    words = t("code_over") if check.result is Check.OVER else t("code_wrong", number=left, count=left)
    return await _page(parts, customer, Said(faults={address_id: words}), status=422)


@router.post("/reach/addresses/{address_id}/remove")
async def remove(address_id: str, customer: PageCustomer, parts: TheParts) -> Response:
    """Remove an address, unless a message that protects the customer goes nowhere else."""
    t = texts.choose(customer.profile.language)
    try:
        await changes.remove_address(parts, customer, address_id)
    except addresses.LastAddressError:
        return await _page(parts, customer, Said(faults={address_id: t("address_last")}), status=422)
    return go_to("/reach#addresses")


@router.post("/reach/push")
async def start_push(customer: PageCustomer, parts: TheParts) -> Response:
    """Have push messages sent to the customer's devices."""
    await changes.add_address(parts, customer, Channel.PUSH, "")
    return go_to("/reach#devices")


@router.post("/reach/devices/{device_id:path}")
async def remove_device(device_id: str, customer: PageCustomer, parts: TheParts) -> Response:
    """Remove a device: it gets no push messages any more."""
    await parts.devices.remove(customer.customer_id, device_id)
    return go_to("/reach#devices")


@router.post("/reach/quiet")
async def quiet(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Change the quiet hours."""
    form, t = await read_form(request), texts.choose(customer.profile.language)
    try:
        hours = reach_page.read_quiet_hours("on" in form, form.get("from"), form.get("to"))
    except InvalidRequestError:
        said = Said(dict(form.pairs), {"quiet": t("quiet_unclear")})
        return await _page(parts, customer, said, status=422)
    begin, end = hours or (None, None)
    await _change(parts, customer, {"quiet_from": begin, "quiet_to": end})
    return go_to("/reach#quiet")


@router.post("/reach/digest")
async def digest(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Change how many messages come at once."""
    wanted = (await read_form(request)).get("digest")
    if wanted in reach_page.DIGESTS:
        await _change(parts, customer, {"digest": wanted or None})
    return go_to("/reach#digest")


@router.post("/reach/language")
async def language(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Change language and time zone; a value that the form does not offer changes nothing."""
    form, current = await read_form(request), customer.profile.language
    try:
        wanted, zone = reach_page.read_language(form.get("language"), form.get("time_zone"), current)
    except InvalidRequestError:
        return go_to("/reach#language")
    await _change(parts, customer, {"language": wanted, "time_zone": zone})
    return go_to("/reach#language")


@router.post("/reach/pause")
async def pause(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Pause everything, or end the pause."""
    form = await read_form(request)
    try:
        until = read_until(form.get("until"), form.get("day"), formats_of(customer, parts))
    except InvalidRequestError:
        return go_to("/reach#pause")
    await _change(parts, customer, {"paused_until": from_ms(until)})
    return go_to("/reach#pause")


_REFUSALS: Mapping[type[InvalidRequestError], str] = {
    changes.StoppedNumberError: "code_stopped",
    changes.TooOftenError: "code_often",
    addresses.TooManyAddressesError: "address_full",
}
"""What is said where an address cannot be added, or a code not sent."""


def _sent(address_id: str) -> str:
    return f"/reach?sent={address_id}#{reach_page.address_anchor(address_id)}"


async def _change(parts: Parts, customer: Customer, values: Mapping[str, Any]) -> None:
    async with parts.bank.write(customer.changed_by) as connection:
        await customers.change(connection, customer.customer_id, values)


async def _page(
    parts: Parts, customer: Customer, said: Said | None = None, *, sent: str = "", status: int = 200
) -> Response:
    own, formats = customer.customer_id, formats_of(customer, parts)
    senders = parts.config.senders
    mandatory = senders.mandatory if senders is not None else ()
    async with parts.bank.read() as connection:
        known = await addresses.list_addresses(connection, own)
        kept = [
            each.address_id for each in known if await addresses.is_last(connection, own, each, mandatory)
        ]
        found = await live.read_live(connection, parts.ledger, own)
    try:
        devices = await parts.devices.list_devices(own)
    except UnreachableError:
        devices = None
    said = said or Said()
    for each in known:
        if each.address_id == sent and each.confirmed_at is None:
            words = formats.texts("code_sent", address=each.address, minutes=addresses.CODE_MINUTES)
            said = Said(said.typed, said.faults, {sent: words})
    shown = Reach(customer.profile, known, kept, devices, found.has_the_rest())
    values = reach_page.build(shown, formats, said)
    return await show(parts, customer, "customer/reach.html", "reach", status=status, f=formats, **values)
