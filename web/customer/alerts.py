"""Routes of the customer's alerts: see them, add, change, switch, snooze and remove them, name accounts."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from account_alerts.model.errors import InvalidRequestError, NotFoundError
from account_alerts.service.problems import ProblemError
from web.auth.dependencies import Customer, PageCustomer, TheParts
from web.customer import alert_form, alert_view, alerts_page
from web.customer.alert_form import Values
from web.customer.formats import Formats
from web.customer.model import Overview, Typed, from_ms, to_ms
from web.customer.pages import formats_of, fragment, go_to, is_htmx, show
from web.forms import read_form
from web.parts import Parts
from web.store import accounts, addresses, live, settings
from web.store.settings import Setting
from web.store.versions import ChangedMeanwhileError

router = APIRouter(include_in_schema=False)
_KINDS = frozenset(kind for kind, _ in alerts_page.KINDS)
_MOST_TRIES = 12
_LONGEST_NAME = 50
_SNOOZES = {"tomorrow": 1, "week": 7}


@router.get("/alerts")
async def alerts(customer: PageCustomer, parts: TheParts, account: str = "", add: str = "") -> Response:
    """Show all accounts with their alerts; with `add`, an alert to fill in."""
    overview = await _overview(parts, customer)
    return await _page(
        parts, customer, overview, new=_proposed(parts, overview, account, add), account=account
    )


@router.post("/alerts")
async def add_alert(request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Add an alert; a form that is sent twice adds one."""
    form, formats = await read_form(request), formats_of(customer, parts)
    overview = await _overview(parts, customer)
    proposed = _proposed(parts, overview, form.get("account"), form.get("alert_type"))
    if proposed is None:
        raise ProblemError(404, "There is no such account, or no such alert.")
    setting = proposed[0]
    values = alert_form.read(form, setting, formats, new=True)
    if isinstance(values, Typed):
        return await _page(parts, customer, overview, new=(setting, values), status=422)
    row = {
        **_columns(values),
        **{name: getattr(setting, name) for name in ("account_id", "currency", "alert_type")},
    }
    for each in overview.settings:
        if all(getattr(each, name) == value for name, value in row.items()):
            return _go_to_alert(each)
    try:
        async with parts.bank.write(customer.changed_by) as connection:
            made = await settings.create(connection, customer.customer_id, row)
    except settings.TooManySettingsError:
        typed = Typed(dict(form.pairs), values.channels, {"form": str(formats.texts("too_many"))})
        return await _page(parts, customer, overview, new=(setting, typed), status=422)
    return _go_to_alert(made)


@router.post("/alerts/save/{setting_id:path}")
async def save(setting_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Save the words and amounts of an alert, as typed; what cannot be read stays in the form."""
    form, formats = await read_form(request), formats_of(customer, parts)
    async with parts.bank.read() as connection:
        setting = await settings.find(connection, customer.customer_id, setting_id)
    values = alert_form.read(form, setting, formats)
    if isinstance(values, Typed):
        return await _answer(request, parts, customer, setting_id, values)
    columns = {**_columns(values), "enabled": "on" in form}
    try:
        await _change(parts, customer, setting_id, columns, form.get("version") or None)
    except ChangedMeanwhileError:
        faults = {"form": str(formats.texts("changed_elsewhere"))}
        typed = Typed(dict(form.pairs), values.channels, faults)
        return await _answer(request, parts, customer, setting_id, typed)
    return await _answer(request, parts, customer, setting_id)


@router.post("/alerts/switch/{setting_id:path}")
async def switch(setting_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Switch an alert on or off at once; what is typed beside it is not looked at."""
    form = await read_form(request)
    await _change(parts, customer, setting_id, {"enabled": "on" in form})
    return await _answer(request, parts, customer, setting_id, part="foot")


@router.post("/alerts/snooze/{setting_id:path}")
async def snooze(setting_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Snooze an alert until a morning, or wake it."""
    form, formats = await read_form(request), formats_of(customer, parts)
    try:
        until = read_until(form.get("until"), form.get("day"), formats)
    except InvalidRequestError:
        typed = Typed(dict(form.pairs), form.all("channels"), {"form": str(formats.texts("day_unclear"))})
        return await _answer(request, parts, customer, setting_id, typed)
    await _change(parts, customer, setting_id, {"snoozed_until": from_ms(until)})
    return await _answer(request, parts, customer, setting_id)


@router.post("/alerts/remove/{setting_id:path}")
async def remove(setting_id: str, request: Request, customer: PageCustomer, parts: TheParts) -> Response:
    """Remove an alert."""
    async with parts.bank.write(customer.changed_by) as connection:
        await settings.remove(connection, customer.customer_id, setting_id)
    # htmx puts nothing in the alert's place.
    return Response(headers={"HX-Reswap": "delete"}) if is_htmx(request) else go_to("/alerts")


@router.get("/alerts/state/{setting_id:path}")
async def state(setting_id: str, customer: PageCustomer, parts: TheParts, tries: int = 0) -> Response:
    """Say whether a change is live yet: asked until it is, less and less often."""
    view, formats = await _view(parts, customer, setting_id), formats_of(customer, parts)
    tries = min(max(tries, 0), _MOST_TRIES)
    return fragment(parts, "customer/_part.html", formats, part="state", a=view, tries=tries)


@router.post("/alerts/account/{account_id:path}")
async def name_account(
    account_id: str, request: Request, customer: PageCustomer, parts: TheParts
) -> Response:
    """Note what the customer calls an account."""
    form = await read_form(request)
    name = " ".join(form.get("name").split())[:_LONGEST_NAME]
    async with parts.bank.write(customer.changed_by) as connection:
        await accounts.rename(connection, customer.customer_id, account_id, name or None)
    return go_to(f"/alerts?account={quote(account_id, safe='')}#{alerts_page.card_anchor(account_id)}")


def read_until(choice: str, day: str, formats: Formats) -> int | None:
    """Return when a snooze or a pause ends, in milliseconds UTC; None: now.

    Raises:
        InvalidRequestError: It is no choice, or no day that is still to come.
    """
    if choice == "now":
        return None
    if choice in _SNOOZES:
        return formats.morning(_SNOOZES[choice])
    if choice == "open":
        return alert_view.FOREVER
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        raise InvalidRequestError("no day") from None
    if choice != "day" or chosen <= formats.today or chosen.year > formats.today.year + 100:
        raise InvalidRequestError("no day to come")
    return formats.morning_of(chosen)


async def _change(
    parts: Parts,
    customer: Customer,
    setting_id: str,
    values: Mapping[str, Any],
    version: str | None = None,
) -> None:
    async with parts.bank.write(customer.changed_by) as connection:
        await settings.change(connection, customer.customer_id, setting_id, values, version)


async def _answer(
    request: Request,
    parts: Parts,
    customer: Customer,
    setting_id: str,
    typed: Typed | None = None,
    part: str = "alert",
) -> Response:
    """Answer a change: htmx gets the alert as it is now; a browser the page, or is sent there."""
    if is_htmx(request):
        view = await _view(parts, customer, setting_id, typed)
        return fragment(parts, "customer/_part.html", formats_of(customer, parts), part=part, a=view)
    overview = await _overview(parts, customer)
    setting = next((each for each in overview.settings if each.setting_id == setting_id), None)
    if setting is None:
        raise NotFoundError("no such setting")
    if typed is None:
        return _go_to_alert(setting)
    return await _page(
        parts, customer, overview, typed={setting_id: typed}, account=setting.account_id, status=422
    )


def _go_to_alert(setting: Setting) -> Response:
    account = quote(setting.account_id, safe="")
    return go_to(f"/alerts?account={account}#{alert_view.anchor(setting.setting_id)}")


async def _page(
    parts: Parts,
    customer: Customer,
    overview: Overview,
    *,
    typed: Mapping[str, Typed] | None = None,
    new: tuple[Setting, Typed | None] | None = None,
    account: str = "",
    status: int = 200,
) -> Response:
    formats = formats_of(customer, parts)
    values = alerts_page.build(overview, formats, typed, new, account)
    return await show(parts, customer, "customer/alerts.html", "alerts", status=status, f=formats, **values)


async def _overview(parts: Parts, customer: Customer) -> Overview:
    own = customer.customer_id
    async with parts.bank.read() as connection:
        return Overview(
            accounts=await accounts.list_accounts(connection, own),
            settings=await settings.list_settings(connection, own),
            addresses=await addresses.list_addresses(connection, own),
            live=await live.read_live(connection, parts.ledger, own),
            paused_until=to_ms(customer.profile.paused_until),
        )


async def _view(
    parts: Parts, customer: Customer, setting_id: str, typed: Typed | None = None
) -> alert_view.AlertView:
    own = customer.customer_id
    async with parts.bank.read() as connection:
        setting = await settings.find(connection, own, setting_id)
        overview = Overview(
            accounts=[],
            settings=[setting],
            addresses=await addresses.list_addresses(connection, own),
            live=await live.read_live(connection, parts.ledger, own),
            paused_until=to_ms(customer.profile.paused_until),
        )
    return alerts_page.view(setting, overview, formats_of(customer, parts), typed)


def _proposed(
    parts: Parts, overview: Overview, account_id: str, alert_type: str
) -> tuple[Setting, Typed | None] | None:
    account = next((each for each in overview.accounts if each.account_id == account_id), None)
    if account is None or alert_type not in _KINDS:
        return None
    default = parts.config.require("web").default_currency
    return alerts_page.propose(account, overview.settings, alert_type, default), None


def _columns(values: Values) -> dict[str, Any]:
    return {
        "channels": list(values.channels),
        "threshold_minor": values.threshold_minor,
        "count": values.count,
        "window_minutes": values.window_minutes,
    }
