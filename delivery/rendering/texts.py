"""Loads the texts that customers read, by language (templates/*.yaml)."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, meta

from account_alerts.model.money import locale

TEMPLATES = Path(__file__).parent / "templates"
OTHER_FORM = "other"
"""CLDR's plural category that every language has."""
OTHER = "OTHER"
"""The type whose texts stand for every type without texts of its own."""
_FALLBACK = "en"
_GAP = re.compile(r"\{\{ (\w+) \}\}")
_Source = str | Mapping[str, str]
"""A text with gaps, or its forms by plural category."""


@dataclass(frozen=True)
class TextTemplate:
    """A text with gaps; one about a number has a form for each plural category of its language (CLDR)."""

    forms: Mapping[str, Callable[[Mapping[str, object]], str]]
    """By plural category; `other` is always there."""
    needs: frozenset[str]
    """The names of the gaps, in any form."""
    category: Callable[[int], str]
    """The plural category of a number."""

    def render(self, values: Mapping[str, object], count: int | None = None) -> str:
        """Fill the gaps of the form for a count."""
        category = OTHER_FORM if count is None else self.category(count)
        return self.forms.get(category, self.forms[OTHER_FORM])(values)


Wordings = Sequence[TextTemplate]
"""Ways to say one thing: the first that all values are there for is taken."""


@dataclass(frozen=True)
class Language:
    """All texts of a language."""

    code: str
    types: Mapping[str, Mapping[str, Wordings]]
    """Of each alert type: `title`, `text`, and `also`, a line for it where another reason comes first."""
    bookings: Mapping[str, Wordings]
    """What was booked, by kind."""
    words: Mapping[str, TextTemplate]
    countries: Mapping[str, str]
    """Names of countries that stand in a sentence other than by themselves, by code (ISO 3166-1)."""

    def word(self, name: str, values: Mapping[str, object] | None = None, count: int | None = None) -> str:
        """Render one of `words`, in the form for a count."""
        return self.words[name].render(values or {}, count)


def choose_wording(wordings: Wordings, known: Set[str]) -> TextTemplate | None:
    """Return the first wording that asks for known values only."""
    return next((each for each in wordings if each.needs <= known), None)


@cache
def languages() -> frozenset[str]:
    """Return the codes of the languages that have texts."""
    return frozenset(file.stem for file in TEMPLATES.glob("*.yaml"))


def readable(language: str) -> str:
    """Return the language tag itself where its language has texts, else English."""
    return language if locale(language).language in languages() else _FALLBACK


@cache
def load(code: str) -> Language:
    """Load the texts of a language that has some."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # Plain text.

    def compiled(source: _Source) -> TextTemplate:
        forms = {OTHER_FORM: source} if isinstance(source, str) else source
        needs = [meta.find_undeclared_variables(environment.parse(form)) for form in forms.values()]
        return TextTemplate(
            {category: _compile(form, environment) for category, form in forms.items()},
            frozenset().union(*needs),
            locale(code).plural_form,
        )

    def wordings(sources: _Source | list[_Source]) -> Wordings:
        return [compiled(source) for source in (sources if isinstance(sources, list) else [sources])]

    data = yaml.safe_load((TEMPLATES / f"{code}.yaml").read_text("utf-8"))
    return Language(
        code,
        {
            name: {part: wordings(sources) for part, sources in parts.items()}
            for name, parts in data["types"].items()
        },
        {kind: wordings(sources) for kind, sources in data["bookings"].items()},
        {name: compiled(source) for name, source in data["words"].items()},
        data["countries"],
    )


def _compile(form: str, environment: Environment) -> Callable[[Mapping[str, object]], str]:
    if "{%" in form:
        return environment.from_string(form).render
    # Gaps only: ten times as fast without a template's context, in each message.
    return _GAP.sub(r"%(\1)s", form.replace("%", "%%")).__mod__


def choose(language: str) -> Language:
    """Return the texts for a reader of a BCP 47 language: its own, or English."""
    return load(locale(readable(language)).language)
