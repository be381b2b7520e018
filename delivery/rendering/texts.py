"""Loads the texts that customers read, by language (templates/*.yaml)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, Template, meta

from account_alerts.model.money import locale

TEMPLATES = Path(__file__).parent / "templates"
OTHER_FORM = "other"
"""CLDR's plural category that every language has."""
OTHER = "OTHER"
"""The type whose texts stand for every type without texts of its own."""
_FALLBACK = "en"


@dataclass(frozen=True)
class TextTemplate:
    """A text with gaps; one about a number has a form for each plural category of its language (CLDR)."""

    forms: Mapping[str, Template]
    """By plural category; `other` is always there."""
    needs: frozenset[str]
    """The names of the gaps, in any form."""
    category: Callable[[int], str]
    """The plural category of a number."""

    def render(self, values: Mapping[str, object], count: int | None = None) -> str:
        """Fill the gaps of the form for a count."""
        category = OTHER_FORM if count is None else self.category(count)
        return self.forms.get(category, self.forms[OTHER_FORM]).render(values)


@dataclass(frozen=True)
class Language:
    """All texts of a language: of each alert type `title` and `text`, and single words."""

    code: str
    types: Mapping[str, Mapping[str, TextTemplate]]
    words: Mapping[str, TextTemplate]

    def word(self, name: str, values: Mapping[str, object] | None = None, count: int | None = None) -> str:
        """Render one of `words`, in the form for a count."""
        return self.words[name].render(values or {}, count)


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

    def compiled(source: str | Mapping[str, str]) -> TextTemplate:
        forms = {OTHER_FORM: source} if isinstance(source, str) else source
        needs = [meta.find_undeclared_variables(environment.parse(form)) for form in forms.values()]
        return TextTemplate(
            {category: environment.from_string(form) for category, form in forms.items()},
            frozenset().union(*needs),
            locale(code).plural_form,
        )

    data = yaml.safe_load((TEMPLATES / f"{code}.yaml").read_text("utf-8"))
    types = {
        name: {part: compiled(source) for part, source in parts.items()}
        for name, parts in data["types"].items()
    }
    return Language(code, types, {name: compiled(source) for name, source in data["words"].items()})


def choose(language: str) -> Language:
    """Return the texts for a reader of a BCP 47 language: its own, or English."""
    return load(locale(readable(language)).language)
