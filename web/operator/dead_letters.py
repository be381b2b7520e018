"""Dead letters: look at them, repair what can be repaired, put them back."""

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from account_alerts.model.errors import AlertsError, NotFoundError, UnreachableError
from account_alerts.service.problems import ProblemError
from operations import dead_letters
from operations.dead_letters import DeadLetter, Records
from web.auth.dependencies import Operator, TheParts
from web.auth.identity import Identity
from web.operator.pages import page
from web.operator.repair import apply, fields
from web.operator.views import moment
from web.parts import Parts
from web.store import actions
from web.store.actions import Action

router = APIRouter(prefix="/operator/dead-letters", include_in_schema=False)
_MOST = 100
_ID = re.compile(r"\d{1,10}-\d{1,19}")


@router.get("")
async def listed(operator: Operator, parts: TheParts, done: str = "") -> Response:
    """List the newest; `done` is the one that was just put back."""
    problem, found = "", []
    try:
        found = await asyncio.to_thread(dead_letters.read_newest, parts.config, _MOST)
    except UnreachableError as error:
        problem = str(error)
    records = Records(parts.config)
    ids = [letter.id for letter in found]
    put_back = await actions.newest(parts.bank, (Action.REPLAY, Action.REPAIR), ids)
    rows = [
        {
            "id": letter.id,
            "path": letter.id.replace(":", "-"),
            "at": moment(letter.written_at),
            "place": _place(letter),
            "reason": letter.reason,
            "obstacle": _obstacle(records, letter),
            "done": put_back.get(letter.id),
        }
        for letter in found[:_MOST]
    ]
    shown = done.replace("-", ":") if _ID.fullmatch(done) else ""
    status = 503 if problem else 200
    return page(
        parts, operator, "dead_letters.html", "dead", status=status, rows=rows, problem=problem, done=shown
    )


@router.get("/{path}")
async def look(operator: Operator, parts: TheParts, path: str) -> Response:
    """Show one, with what is personal masked."""
    letter = await _find(parts, path)
    await actions.record(parts.bank, operator, Action.LOOK_AT_DEAD_LETTER, letter.id)
    return _show(parts, operator, letter)


@router.post("/{path}")
async def change(
    request: Request, operator: Operator, parts: TheParts, path: str, do: Annotated[str, Form()]
) -> Response:
    """Check what was typed, put the repaired record back, or put it back as it came."""
    letter = await _find(parts, path)
    typed = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if do == "replay":
        await actions.record(parts.bank, operator, Action.REPLAY, letter.id)
        replayed = await asyncio.to_thread(dead_letters.replay, parts.config, [letter.id])
        if reason := replayed.kept.get(letter.id):
            return _show(parts, operator, letter, problem=reason)
        return _done(path)
    record = _record(parts, letter)
    if record is None:
        return _show(parts, operator, letter, problem="Nothing could be decoded: there is nothing to repair.")
    repair = apply(record, typed)
    if repair.faults or do != "repair":
        return _show(parts, operator, letter, typed=typed, repair=repair)
    await actions.record(parts.bank, operator, Action.REPAIR, letter.id)
    try:
        await asyncio.to_thread(dead_letters.put_back, parts.config, letter, repair.record)
    except UnreachableError:
        raise
    except AlertsError as error:
        return _show(parts, operator, letter, typed=typed, problem=str(error))
    return _done(path)


async def _find(parts: Parts, path: str) -> DeadLetter:
    if not _ID.fullmatch(path):
        raise ProblemError(404, "There is no such dead letter.")
    try:
        return await asyncio.to_thread(dead_letters.find, parts.config, path.replace("-", ":"))
    except NotFoundError as error:
        raise ProblemError(404, str(error)) from None


def _show(
    parts: Parts,
    operator: Identity,
    letter: DeadLetter,
    *,
    typed: dict[str, str] | None = None,
    repair: Any = None,
    problem: str = "",
) -> Response:
    record = _record(parts, letter)
    faulty = bool(problem or (repair and repair.faults))
    return page(
        parts,
        operator,
        "dead_letter.html",
        "dead",
        status=422 if faulty else 200,
        id=letter.id,
        path=letter.id.replace(":", "-"),
        place=_place(letter),
        at=moment(letter.written_at),
        reason=letter.reason,
        size=letter.size,
        is_cut=letter.is_cut,
        obstacle=_obstacle(Records(parts.config), letter),
        fields=None if record is None else fields(record, typed, repair),
        checked=repair is not None and not repair.faults,
        whole_fault=repair.faults.get("", "") if repair else "",
        problem=problem,
    )


def _record(parts: Parts, letter: DeadLetter) -> Any:
    return None if letter.is_cut else Records(parts.config).decode(letter.topic, letter.value)


def _obstacle(records: Records, letter: DeadLetter) -> str:
    """Say why a letter cannot be put back as it is; empty where it can."""
    if letter.is_cut:
        return "It was too long: only its first part is there. Ask its sender for it."
    try:
        records.check(letter.topic)
    except AlertsError as error:
        return str(error)
    return ""


def _place(letter: DeadLetter) -> str:
    if letter.partition is None:
        return letter.topic
    return f"{letter.topic} {letter.partition}:{letter.offset}"


def _done(path: str) -> Response:
    return RedirectResponse(f"/operator/dead-letters?done={path}", 303)
