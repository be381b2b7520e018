"""The look-up: "did we tell them, and why?"."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from account_alerts.model.masking import masked
from account_alerts.records.codec import Codec, CodecError, codec
from web.auth.dependencies import Operator, TheParts
from web.operator.pages import page
from web.operator.told import Event, booking_words, events
from web.operator.views import moment
from web.operator.why import Verdict, judge
from web.parts import Parts
from web.store import actions
from web.store import lookup as store
from web.store.actions import Action

router = APIRouter(prefix="/operator", include_in_schema=False)
_LONGEST = 1_000
_LONGEST_TICKET = 200


@dataclass(frozen=True)
class Query:
    """What is looked for."""

    who: str = ""
    day: str = ""
    ticket: str = ""

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The day's beginning and end, UTC; None where all days count."""
        if not self.day:
            return None
        begin = datetime.combine(date.fromisoformat(self.day), datetime.min.time(), UTC)
        return begin, begin + timedelta(days=1)

    def faults(self) -> dict[str, str]:
        """Return what is wrong, by the name of the field."""
        found = {}
        if not self.who or len(self.who) > _LONGEST or "\0" in self.who:
            found["who"] = "Give the id of a customer, an account, a booking or an alert."
        if not self.ticket or len(self.ticket) > _LONGEST_TICKET or "\0" in self.ticket:
            found["ticket"] = "Give the ticket, or the reason why you look. It is recorded with your name."
        try:
            _ = self.span
        except (ValueError, OverflowError):
            found["day"] = "Give a day, such as 2026-11-30, or none."
        return found


@router.get("/lookup")
async def look_up(
    operator: Operator, parts: TheParts, who: str = "", day: str = "", ticket: str = "", event: str = ""
) -> Response:
    """Show the form, and what was found; `event` is the booking that is shown in full."""
    query = Query(who.strip(), day.strip(), ticket.strip())
    asked = bool(query.who or query.day or query.ticket)
    faults = query.faults() if asked else {}
    values: dict[str, Any] = {"query": query, "faults": faults, "found": None, "chosen": None}
    if asked and not faults:
        await actions.record(parts.bank, operator, Action.LOOK_UP, query.who, query.ticket)
        found = await _find(parts, query)
        chosen = next((each for each in found if each.key == event), found[0] if found else None)
        values |= {
            "found": [_listed(each) for each in found],
            "chosen": None if chosen is None else await _details(parts, chosen),
            "cut": len(found) >= store.MOST,
        }
    status = 422 if faults else 200
    return page(parts, operator, "lookup.html", "lookup", status=status, **values)


async def _find(parts: Parts, query: Query) -> list[Event]:
    begin, end = query.span or (None, None)
    async with parts.ledger.read() as connection:
        rows = await store.deliveries(connection, query.who, begin, end)
    async with parts.bank.read() as connection:
        booked = await store.bookings(connection, query.who, begin, end)
    decoder = codec(parts.config)
    return events([(row, _alert(row, decoder)) for row in rows], booked)


def _alert(row: Mapping[str, Any], decoder: Codec) -> Mapping[str, Any] | None:
    if row["record"] is None:
        return None
    try:
        return decoder.decode("OutboundAlert", bytes(row["record"]))
    except CodecError:
        return None  # Of a version that this one cannot read: what the ledger itself says is shown.


def _listed(found: Event) -> dict[str, Any]:
    what = booking_words(found.booking) if found.booking else "no booking"
    return {"key": found.key, "at": moment(found.at)[:19], "what": what, "event": found}


async def _details(parts: Parts, found: Event) -> dict[str, Any]:
    booking = found.booking
    customers = list(dict.fromkeys(each.customer_id for each in found.messages if each.customer_id))
    verdicts: list[tuple[str, list[Verdict]]] = []
    async with parts.bank.read() as connection:
        holders = await store.holders(connection, found.account_id) if found.account_id else []
        if booking is not None:
            for customer in dict.fromkeys([*customers, *holders]):
                then = await store.settings_then(connection, customer, booking.account_id, booking.booked_at)
                verdicts.append((customer, [judge(setting, booking) for setting in then]))
    return {
        "event": found,
        "at": moment(found.at),
        "account": masked(found.account_id) if found.account_id else "",
        "what": booking_words(booking) if booking else "",
        "verdicts": verdicts,
    }
