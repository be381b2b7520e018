"""Loads the texts that customers read, by language (templates/*.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from jinja2 import Environment, StrictUndefined, Template, meta

from account_alerts.model.money import locale

TEMPLATES = Path(__file__).parent / "templates"
OTHER = "OTHER"
"""The type whose texts stand for every type without texts of its own."""
_FALLBACK = "en"


@dataclass(frozen=True)
class TextTemplate:
    """A text with gaps, and the names of the gaps."""

    template: Template
    needs: frozenset[str]


@dataclass(frozen=True)
class Language:
    """All texts of a language: of each alert type `title` and `text`, and single words."""

    code: str
    types: Mapping[str, Mapping[str, TextTemplate]]
    words: Mapping[str, TextTemplate]

    def word(self, name: str, **values: object) -> str:
        """Render one of `words`."""
        return self.words[name].template.render(**values)


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

    def compiled(source: str) -> TextTemplate:
        needs = meta.find_undeclared_variables(environment.parse(source))
        return TextTemplate(environment.from_string(source), frozenset(needs))

    data = yaml.safe_load((TEMPLATES / f"{code}.yaml").read_text("utf-8"))
    types = {
        name: {part: compiled(source) for part, source in parts.items()}
        for name, parts in data["types"].items()
    }
    return Language(code, types, {name: compiled(source) for name, source in data["words"].items()})


def choose(language: str) -> Language:
    """Return the texts for a reader of a BCP 47 language: its own, or English."""
    return load(locale(readable(language)).language)
