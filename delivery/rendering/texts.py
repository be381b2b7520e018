"""The texts customers read, by language (senders/templates/*.yaml), and an alert's values in them."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.units import format_unit
from jinja2 import Environment, StrictUndefined, Template, meta

from account_alerts.model.masking import masked
from account_alerts.model.money import exponent, format_minor, locale
from account_alerts.records.codec import Record
from delivery.gateways.sms import gsm

TEMPLATES = Path(__file__).parent / "templates"
OTHER = "OTHER"
_OPTIONAL = frozenset({"amount", "account", "product"})
"""What a text may ask for and do without (`{% if amount %}`). Where another is missing, OTHER is taken."""
_LONGEST = 80
"""Letters of a name that an alert brings along, such as a product's."""
_NOT_SHOWN = re.compile(r"\s+")

Money = Callable[[int, str, str], str]


@dataclass(frozen=True)
class Text:
    """A text with gaps, and the names of the gaps."""

    template: Template
    needs: frozenset[str]


@dataclass(frozen=True)
class Language:
    """All texts of a language: of each alert type `title` and `text`, and single words."""

    code: str
    types: Mapping[str, Mapping[str, Text]]
    words: Mapping[str, Text]

    def word(self, name: str, **values: object) -> str:
        """One of `words`, filled in."""
        return self.words[name].template.render(**values)


def languages() -> list[str]:
    """The codes of the languages that have texts."""
    return sorted(file.stem for file in TEMPLATES.glob("*.yaml"))


def readable(language: str) -> str:
    """The language tag itself where its language has texts, else English."""
    return language if locale(language).language in languages_with_texts() else "en"


@cache
def languages_with_texts() -> frozenset[str]:
    """As `languages`, looked up once."""
    return frozenset(languages())


@cache
def texts(code: str) -> Language:
    """The texts of a language that has some."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # Plain text.

    def compiled(source: str) -> Text:
        needs = meta.find_undeclared_variables(environment.parse(source))
        return Text(environment.from_string(source), frozenset(needs))

    data = yaml.safe_load((TEMPLATES / f"{code}.yaml").read_text("utf-8"))
    types = {
        name: {part: compiled(source) for part, source in parts.items()}
        for name, parts in data["types"].items()
    }
    return Language(code, types, {name: compiled(source) for name, source in data["words"].items()})


def of(language: str) -> Language:
    """The texts for a reader of a BCP 47 language: its own, or English."""
    return texts(locale(readable(language)).language)


@dataclass(frozen=True)
class Told:
    """An alert in words: in a few, and in a sentence or two; and the values in them."""

    title: str
    text: str
    values: Mapping[str, str]


def told(alert: Record, language: str, money: Money = format_minor) -> Told:
    """An alert in the words of its reader's language, amounts as `money` writes them."""
    own, known = of(language), values(alert, language, money)
    chosen = own.types.get(alert["alert_type"], own.types[OTHER])
    if not chosen["title"].needs | chosen["text"].needs <= known.keys():
        chosen = own.types[OTHER]
    return Told(chosen["title"].template.render(known), chosen["text"].template.render(known), known)


def values(alert: Record, language: str, money: Money = format_minor) -> dict[str, str]:
    """What texts may ask for; a value that the alert does not have is missing, or empty if it may be."""
    language = readable(language)
    params: Mapping[str, str] = alert["params"]
    found = dict.fromkeys(_OPTIONAL, "")
    found["rule"] = clean(alert["alert_type"].replace("_", " ")).capitalize() or OTHER
    if alert["account_id"]:
        found["account"] = clean(masked(alert["account_id"]))
    for name in ("threshold", "amount", "balance"):
        minor = _number(params.get(f"{name}_minor"))
        if minor is not None and _is_currency(alert["currency"]):
            found[name] = money(minor, alert["currency"], language)
    if (count := _number(params.get("count"))) is not None:
        found["count"] = str(count)
    if (minutes := _number(params.get("window_minutes"))) is not None:
        found["window"] = format_unit(minutes, "duration-minute", locale=locale(language))
    if params.get("product"):
        found["product"] = clean(params["product"])
    return found


def sms_money(minor: int, currency: str, language: str) -> str:
    """An amount for an SMS: with the currency's code where its sign is not in the alphabet of SMS."""
    shown = gsm.simplified(format_minor(minor, currency, language))
    return shown if gsm.is_gsm(shown) else gsm.simplified(format_minor(minor, currency, language, code=True))


def local_time(ms: int, zone: str) -> datetime:
    """A time in milliseconds UTC as a customer's clock shows it.

    UTC where the zone is not known, and where its clock would show a year after 9999.
    """
    at = datetime.fromtimestamp(ms // 1000, UTC)
    try:
        return at.astimezone(_zone(zone))
    except OverflowError:
        return at


def written(at: datetime, language: str, *, zone: bool = False) -> str:
    """A time as the language's readers write it, on request with its zone's name.

    The month stands as a word or in full order (`26 okt 2025`): `10/11/25` means two days.
    """
    chosen = locale(readable(language))
    text = f"{format_date(at, 'medium', locale=chosen)}, {format_time(at, 'short', locale=chosen)}"
    return f"{text} {_zone_name(at, chosen)}" if zone else text


def clean(text: str) -> str:
    """A text that came with an alert, on one line: no control or direction characters, not too long."""
    kept = "".join(" " if unicodedata.category(letter).startswith(("C", "Z")) else letter for letter in text)
    short = _NOT_SHOWN.sub(" ", kept).strip()
    return short if len(short) <= _LONGEST else short[: _LONGEST - 1] + "…"


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _zone_name(at: datetime, chosen: Locale) -> str:
    """`MEZ` where the language has such a name, else how far from UTC."""
    name = get_timezone_name(at, "short", locale=chosen)
    return name if name[:1].isalpha() else format_time(at, "OOOO", locale=chosen)


@cache
def _is_currency(code: str) -> bool:
    try:
        exponent(code)
    except ValueError:
        return False
    return True


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # No such zone, no name at all, a folder.
        return ZoneInfo("UTC")


def message(alert: Record) -> str:
    """The text of an OutboundAlert in its customer's language, English where there is no such text.

    Amounts are written as the language's readers write them, the account's number is masked.
    """
    pass  # Here because jobs import `masked` and nothing of this.

    return told(alert, alert["language"]).text
