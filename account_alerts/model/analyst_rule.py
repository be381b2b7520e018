"""A rule of an analyst: a SELECT over the bookings in a file, with what the rule promises in its comments.

    -- What it is about, for people.
    -- limit: 300 alerts a minute
    -- channels: PUSH, EMAIL
    -- history: 7d
    -- keep: 400d
    SELECT * FROM bookings WHERE ...

limit: more than that stops the rule. channels: of those a customer has (default: all). history: it reads
bookings from so long before its start, to know what was (default: none). keep: it forgets what it has not
used for so long (default: never).
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from account_alerts.model.alerts import Channel
from account_alerts.model.durations import parse_duration
from account_alerts.model.errors import InvalidRequestError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PROMISE = re.compile(r"--\s*(\w+)\s*:\s*(.*)")
_LONGEST_MS = 100 * 365 * 86_400_000
_PROMISES = ("limit", "channels", "history", "keep")


class RuleError(InvalidRequestError):
    """A rule that cannot be used; the message names the file, the line, and the remedy."""


@dataclass(frozen=True)
class Rule:
    """A rule as it stands in its file."""

    name: str
    """The file's name; also the alert_type of its alerts."""
    sql: str
    """The whole file: lines are counted from its first."""
    about: str
    per_minute: int
    channels: tuple[str, ...] = ()
    """Those it wants; none: all."""
    history: int = 0
    """How long before its start it reads bookings, in milliseconds."""
    keep: int = 0
    """When it forgets what was not used, in milliseconds; 0: never."""


def read(file: Path) -> Rule:
    """Read the rule in a file.

    Raises:
        RuleError: Its name or its promises are not as they must be.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RuleError(f"{file}: is not UTF-8; save it as that") from None
    return parse(file.stem, text, str(file))


def parse(name: str, sql: str, location: str) -> Rule:
    """Read the rule of a name from a text; `location` is what errors call it."""
    if not _NAME.fullmatch(name):
        raise RuleError(
            f"{location}: call the file by small letters, digits and _, such as card_payment_abroad.sql: its "
            "name is the type of the alerts"
        )
    about, promises = _comments(sql, location)
    if "limit" not in promises:
        raise RuleError(
            f"{location}: says no limit (more than that stops it). Add a line: -- limit: 100 alerts a minute"
        )
    code = "\n".join(line for line in sql.splitlines() if not line.strip().startswith("--"))
    if not re.match(r"\s*(SELECT|WITH)\b", code, re.IGNORECASE):
        raise RuleError(f"{location}: holds no SELECT; a rule is one SELECT over the bookings")
    bare = re.sub(r"'(?:[^']|'')*'|--.*", "''", code)
    if ";" in bare.rstrip().rstrip(";"):
        raise RuleError(f"{location}: holds several statements; a rule is one SELECT")
    return Rule(
        name=name,
        sql=sql.rstrip().rstrip(";"),
        about=about,
        per_minute=_limit(*promises["limit"]),
        channels=_channels(*promises["channels"]) if "channels" in promises else (),
        history=_duration(*promises["history"]) if "history" in promises else 0,
        keep=_duration(*promises["keep"]) if "keep" in promises else 0,
    )


def _comments(sql: str, location: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Read the comments before the SELECT: what the rule is about, and promises as (value, where)."""
    about: list[str] = []
    promises: dict[str, tuple[str, str]] = {}
    begun = False
    for number, each in enumerate(sql.splitlines(), start=1):
        line, where = each.strip(), f"{location}, line {number}"
        if not line.startswith("--"):
            begun |= bool(line)
            continue
        promise = _PROMISE.match(line)
        if begun:
            if promise and promise[1] in _PROMISES:
                raise RuleError(f"{where}: {promise[1]}: stands behind the SELECT; move it before it")
        elif promise is None:
            about.append(line.lstrip("- ").strip())
        elif promise[1] in promises:
            raise RuleError(f"{where}: {promise[1]}: is said twice")
        elif promise[1] in _PROMISES:
            promises[promise[1]] = (promise[2].strip(), where)
        elif close := difflib.get_close_matches(promise[1], _PROMISES, n=1):
            raise RuleError(f"{where}: {promise[1]}: is not known. Did you mean {close[0]}?")
        else:
            about.append(line.lstrip("- ").strip())
    return " ".join(about), promises


def _limit(text: str, where: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,8})( alerts)?( (a|per) minute)?", text)
    if found is None:
        raise RuleError(
            f"{where}: limit: {text!r} is no number of alerts. Write: -- limit: 100 alerts a minute"
        )
    return int(found[1])


def _channels(text: str, where: str) -> tuple[str, ...]:
    channels = tuple(dict.fromkeys(part.strip().upper() for part in text.split(",")))
    for channel in channels:
        if channel not in list(Channel):
            raise RuleError(f"{where}: channels: {channel!r} is none. There are: {', '.join(Channel)}")
    return channels


def _duration(text: str, where: str) -> int:
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise RuleError(f"{where}: {error}") from None
    if duration > _LONGEST_MS:
        raise RuleError(f"{where}: {text} is longer than 100 years")
    return duration
