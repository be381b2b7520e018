"""Reads STOP, START and HELP in the texts of SMS, and gives the answers (keywords.yaml). Pure functions."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from delivery.gateways.sms import gsm

_FILE = Path(__file__).with_name("keywords.yaml")
_FALLBACK = "en"


class Keyword(StrEnum):
    """What a customer asks for; the ledger's column `keyword`."""

    STOP = "STOP"
    """No more SMS to this number."""
    START = "START"
    """SMS to this number again."""
    HELP = "HELP"
    """An explanation."""


@dataclass(frozen=True)
class Command:
    """A keyword that a customer sent."""

    keyword: Keyword
    language: str | None
    """The one language that has this form; None where several have it."""


_REPLIES = {Keyword.STOP: "stopped", Keyword.START: "started", Keyword.HELP: "helped"}


def languages() -> frozenset[str]:
    """Return the languages that have keywords and answers."""
    return frozenset(_table())


def read_command(text: str) -> Command | None:
    """Read the command in an SMS; None where it is none.

    The whole text counts, else its first line: what follows may be a signature. Polite words do not count. A
    text of two words is a STOP where the first cannot mean anything else (`stop sms`).
    """
    forms = _forms()
    for candidate in _candidates(text):
        if found := forms.get(candidate):
            return found
    words = next(_candidates(text), "").split()
    if len(words) == 2 and words[0] in ("stop", "stopp"):
        return forms[words[0]]
    return None


def reply(keyword: Keyword, language: str, sender: str) -> str:
    """Return the answer to a keyword, in the alphabet of SMS; English where the language has none."""
    texts = _table().get(language) or _table()[_FALLBACK]
    return gsm.simplify(str(texts[_REPLIES[keyword]]).format(sender=sender))


def normalize(text: str) -> str:
    """Return a text as keywords are compared: small letters and digits, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        letter if letter.isalnum() else " "
        for letter in plain
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    return " ".join("".join(kept).split())


def _candidates(text: str) -> Iterator[str]:
    lines = [line for line in map(_without_polite, text.splitlines()) if line]
    yield " ".join(lines)
    yield from lines[:1]


def _without_polite(line: str) -> str:
    return " ".join(word for word in normalize(line).split() if word not in _file()["polite"])


@cache
def _file() -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
    return found


def _table() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = _file()["languages"]
    return found


@cache
def _forms() -> Mapping[str, Command]:
    forms: dict[str, Command] = {}
    for language, texts in _table().items():
        for keyword in Keyword:
            for form in map(normalize, texts[keyword.lower()]):
                known = forms.get(form)
                forms[form] = Command(keyword, None if known else language)
    return forms
