"""Analysts' rules: test, back-test, ask for a start and agree to it, stop, release or discard held alerts.

Nothing is done here: what is asked for stands in the bank's table `rule_requests`, and whoever has Flink's
client carries it out (`operations/analyst_rules/worker.py`).
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response
from fastapi.responses import RedirectResponse

from account_alerts.config import Config
from account_alerts.model import analyst_rule
from account_alerts.model.analyst_rule import Rule, RuleError
from account_alerts.model.errors import UnreachableError
from account_alerts.service.problems import ProblemError
from operations.analyst_rules import files, quarantine, registry, requests
from operations.analyst_rules.registry import Registry
from operations.analyst_rules.requests import RequestError, RuleAction, RuleRequest
from web.auth.dependencies import ForbiddenError, TheParts, page_identity
from web.auth.identity import STAFF, Identity, Role
from web.operator.pages import page
from web.operator.views import moment, spark

router = APIRouter(prefix="/operator/rules", include_in_schema=False)
_LONGEST_REASON = 200
_ROLES = {
    RuleAction.TEST: Role.ANALYST,
    RuleAction.BACK_TEST: Role.ANALYST,
    RuleAction.START: Role.ANALYST,
    RuleAction.STOP: Role.OPERATOR,
    RuleAction.RESUME: Role.OPERATOR,
    RuleAction.DISCARD: Role.OPERATOR,
}
"""Who may ask for what; whoever may stop a rule need not be able to start one."""
WORDS = {
    RuleAction.TEST: "Test",
    RuleAction.BACK_TEST: "Back-test",
    RuleAction.START: "Start",
    RuleAction.STOP: "Stop",
    RuleAction.RESUME: "Release",
    RuleAction.DISCARD: "Discard",
}


async def staff(identity: Annotated[Identity, Depends(page_identity)]) -> Identity:
    """Return who is logged in, one of the bank's own people."""
    if not identity.roles & STAFF:
        raise ForbiddenError("You are logged in, but without a role for rules.")
    return identity


Staff = Annotated[Identity, Depends(staff)]


@dataclass(frozen=True)
class State:
    """What a rule does now."""

    kind: str
    icon: str
    words: str
    detail: str


@router.get("")
async def listed(user: Staff, parts: TheParts, done: str = "") -> Response:
    """List all rules: what each does, what was asked for, and what came of it."""
    return await _page(parts, user, done=done if done in WORDS.values() else "")


@router.post("/{name}")
async def ask(
    user: Staff,
    parts: TheParts,
    name: str,
    do: Annotated[RuleAction, Form()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Ask for something; a start waits for a second person."""
    if _ROLES[do] not in user.roles:
        raise ForbiddenError(f"You are logged in, but without the role {_ROLES[do]}.")
    reason = reason.strip()
    if do is RuleAction.START and not 0 < len(reason) <= _LONGEST_REASON:
        return await _page(parts, user, status=422, problem=f"{name}: say why it is to start, in one line.")
    try:
        rule = await asyncio.to_thread(_rule, parts.config, name)
        await asyncio.to_thread(requests.ask, parts.config, rule, do, user.subject, reason[:_LONGEST_REASON])
    except RuleError as error:
        raise ProblemError(404, str(error)) from None
    except RequestError as error:
        return await _page(parts, user, status=409, problem=str(error))
    return RedirectResponse(f"/operator/rules?done={WORDS[do]}", 303)


@router.post("/requests/{number}")
async def decide(
    user: Staff, parts: TheParts, number: int, do: Annotated[str, Form(pattern="^(agree|withdraw)$")]
) -> Response:
    """Agree to a start that somebody else asked for, or take it back."""
    if Role.APPROVER not in user.roles:
        raise ForbiddenError(f"You are logged in, but without the role {Role.APPROVER}.")
    act = requests.agree if do == "agree" else requests.withdraw
    try:
        await asyncio.to_thread(act, parts.config, number, user.subject)
    except RequestError as error:
        return await _page(parts, user, status=409, problem=str(error))
    return RedirectResponse("/operator/rules", 303)


async def _page(
    parts: Any, user: Identity, *, status: int = 200, done: str = "", problem: str = ""
) -> Response:
    newest = await asyncio.to_thread(requests.newest, parts.config)
    shipped, broken = _shipped()
    known, away = Registry(), ""
    held: Mapping[str, int] = {}
    try:
        known, held = await asyncio.to_thread(_known, parts.config)
    except UnreachableError as error:
        away, status = str(error), 503
    names = sorted({*shipped, *known.started, *held, *(name for name, _ in newest)})
    rows = [_row(name, shipped.get(name), known, held, newest, user) for name in names]
    if away:
        unknown = State("rest", "ask", "Not known", "")
        # What it does decides what can be asked for; who waits for consent waits all the same.
        rows = [row | {"may": []} | ({} if row["request"] else {"state": unknown}) for row in rows]
    waiting = sum(1 for row in rows if row["request"] is not None)
    values = {"rows": rows, "waiting": waiting, "away": away, "broken": broken}
    busy = any(request.begun_at and not request.ended_at for request in newest.values())
    return page(
        parts, user, "rules.html", "rules", status=status, done=done, problem=problem, busy=busy, **values
    )


def _row(
    name: str,
    rule: Rule | None,
    known: Registry,
    held: Mapping[str, int],
    newest: Mapping[tuple[str, RuleAction], RuleRequest],
    user: Identity,
) -> dict[str, Any]:
    start = newest.get((name, RuleAction.START))
    waits = start if start is not None and start.waits else None
    started = known.started.get(name)
    shown = started or rule
    own = [request for (of, _), request in newest.items() if of == name and not request.waits]
    latest = max(own, key=lambda request: request.id, default=None)
    back_test = newest.get((name, RuleAction.BACK_TEST))
    return {
        "name": name,
        "about": shown.about if shown else "",
        "per_minute": shown.per_minute if shown else None,
        "sql": waits.sql if waits else shown.sql if shown else "",
        "state": _state(name, known, held.get(name, 0), waits, latest),
        "held": held.get(name, 0),
        "started": started is not None,
        "known": rule is not None,
        "request": waits,
        "may_agree": waits is not None and Role.APPROVER in user.roles and waits.asked_by != user.subject,
        "latest": None if latest is None else _outcome(latest),
        "days": _days(back_test),
        "may": [action.value for action, role in _ROLES.items() if role in user.roles],
    }


def _state(
    name: str, known: Registry, held: int, waits: RuleRequest | None, latest: RuleRequest | None
) -> State:
    if waits is not None:
        detail = f"{waits.asked_by} asked, {moment(waits.asked_at)[:16]}: {waits.reason}"
        return State("warn", "people", "Waits for a second person", detail)
    if name in known.paused or (held and name in known.started):
        return State("bad", "stop", "Stopped by its limit", f"{held:,} alerts held")
    if name in known.started:
        return State("good", "check", "Live", f"since {moment(known.started[name].since)[:16]}")
    if latest is not None and latest.action is RuleAction.START and latest.ended_at is None:
        return State("news", "clock", "Starts", f"{latest.agreed_by} agreed")
    return State("rest", "pen", "Not started", f"{held:,} alerts held" if held else "")


def _outcome(request: RuleRequest) -> dict[str, Any]:
    who = f"{request.asked_by} asked" + (f", {request.agreed_by} agreed" if request.agreed_by else "")
    if request.withdrawn_by:
        kind, icon, words = "rest", "off", f"was refused by {request.withdrawn_by}"
    elif request.ended_at is None:
        kind, icon, words = "news", "clock", "is being done" if request.begun_at else "waits for its turn"
    elif request.succeeded:
        kind, icon, words = "good", "check", "done"
    else:
        kind, icon, words = "bad", "warn", "did not succeed"
    text = request.outcome or ""
    if request.action is RuleAction.BACK_TEST and request.succeeded:
        text = _back_test_words(request)
    return {
        "kind": kind,
        "icon": icon,
        "words": f"{WORDS[request.action]} {words}",
        "who": f"{who}, {moment(request.ended_at or request.begun_at or request.asked_at)[:19]}",
        "text": text,
    }


def _days(request: RuleRequest | None) -> dict[str, Any] | None:
    """Return the plot of a back-test: alerts a day."""
    found = _back_test(request)
    if not found or not found["days"]:
        return None
    counts = [day["alerts"] for day in found["days"]]
    words = ", ".join(f"{day['day']}: {day['alerts']:,}" for day in found["days"])
    return {"path": spark(counts), "words": words}


def _back_test_words(request: RuleRequest) -> str:
    found = _back_test(request)
    if not found:
        return request.outcome or ""
    over = (
        "; more than its limit: it would have been stopped"
        if found["busiest_minute"] > found["limit"]
        else ""
    )
    return (
        f"{found['alerts']:,} alerts for {found['customers']:,} customers on {len(found['days'])} days; "
        f"{found['busiest_minute']:,} in the busiest minute, limit {found['limit']:,}{over}"
    )


def _back_test(request: RuleRequest | None) -> dict[str, Any] | None:
    if request is None or not request.succeeded or not request.outcome:
        return None
    try:
        found: dict[str, Any] = json.loads(request.outcome)
    except ValueError:
        return None  # It was longer than what is kept.
    return found


def _rule(config: Config, name: str) -> Rule:
    """Return a rule by its name: of its file, or as it was started."""
    shipped, _ = _shipped()
    if name in shipped:
        return shipped[name]
    started = registry.read(config).started.get(name)
    if started is None:
        raise RuleError(f"There is no rule {name}.")
    return Rule(started.name, started.sql, started.about, started.per_minute)


def _shipped() -> tuple[dict[str, Rule], list[str]]:
    """Return the rules that have a file, and what is wrong with files that hold none."""
    found, broken = {}, []
    for file in files.shipped():
        try:
            rule = analyst_rule.read(file)
        except RuleError as error:
            broken.append(str(error))
        else:
            found[rule.name] = rule
    return found, broken


def _known(config: Config) -> tuple[Registry, Mapping[str, int]]:
    known = registry.read(config)
    return known, quarantine.counts(config, known)
