"""The texts of the customer's pages by language (sentences/*.yaml): patterns with placeholders."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

import yaml
from babel.lists import format_list
from markupsafe import Markup, escape

from account_alerts.model.money import locale
from delivery.rendering.texts import OTHER_FORM, readable

SENTENCES = Path(__file__).parent / "sentences"
LABEL = re.compile(r"\[([^\]]*)\]")
"""The words that are a field's label, in a pattern of a sentence with fields."""


@dataclass(frozen=True)
class Text:
    """One text: a form for each plural category of its language that it tells apart."""

    forms: Mapping[str, str]
    placeholders: frozenset[str]

    @classmethod
    def read(cls, source: str | Mapping[str, str]) -> "Text":
        """Read a text of a YAML file."""
        forms = {OTHER_FORM: source} if isinstance(source, str) else source
        return cls(forms, frozenset().union(*map(placeholders, forms.values())))


@dataclass(frozen=True)
class Texts:
    """All texts of a language."""

    code: str
    """The language of the texts: `nl`."""
    tag: str
    """The reader's BCP 47 tag, which says how amounts and dates are written: `nl-BE`."""
    texts: Mapping[str, Text]
    category: Callable[[int], str]

    def __call__(self, key: str, *, number: int | None = None, **values: object) -> Markup:
        """Fill a text's placeholders; values are escaped, as they are not markup.

        Args:
            key: The text's.
            number: Chooses the plural form, of a text that has several.
            values: By placeholder; what a form does not use is left out.
        """
        text = self.texts[key]
        category = OTHER_FORM if number is None else self.category(number)
        form = text.forms.get(category, text.forms[OTHER_FORM])
        return Markup(escape(form)).format(**values)

    def listed(self, words: list[str]) -> str:
        """Return words as a list: `push and e-mail`."""
        return format_list(words, locale=locale(self.tag))

    def sentence(self, key: str, fields: Mapping[str, Markup], labels: Mapping[str, str]) -> Markup:
        """Write a sentence with fields in it; its words in brackets are labels of the field beside them.

        Args:
            key: The sentence's.
            fields: HTML by placeholder.
            labels: The id of each field that has words for its label, by placeholder.
        """
        [form] = self.texts[key].forms.values()
        pieces = LABEL.split(form)
        written = []
        for position, piece in enumerate(pieces):
            if position % 2:
                after = [name for rest in pieces[position + 1 :] for name in in_order(rest) if name in labels]
                before = [name for rest in pieces[:position] for name in in_order(rest) if name in labels]
                target = (after or before[-1:])[0]
                written.append(Markup('<label for="{}">{}</label>').format(labels[target], piece))
            else:
                written.append(Markup(escape(piece)).format(**fields))
        return Markup("").join(written)


def choose(language: str) -> Texts:
    """Return the texts for a reader of a BCP 47 language: its own, or English."""
    tag = readable(language)
    chosen = locale(tag)
    return Texts(chosen.language, tag, load(chosen.language), chosen.plural_form)


@cache
def load(code: str) -> Mapping[str, Text]:
    """Load the texts of a language that has some."""
    data = yaml.safe_load((SENTENCES / f"{code}.yaml").read_text("utf-8"))
    return {key: Text.read(source) for key, source in data.items()}


@cache
def names() -> Mapping[str, str]:
    """Return the languages that customers may choose: each one's own name by its code, sorted by name."""
    found = {file.stem: load(file.stem)["name"].forms[OTHER_FORM] for file in SENTENCES.glob("*.yaml")}
    return dict(sorted(found.items(), key=lambda each: each[1]))


def in_order(form: str) -> list[str]:
    """List the placeholders of a pattern, in their order."""
    return [name for _, name, _, _ in Formatter().parse(form) if name is not None]


def placeholders(form: str) -> frozenset[str]:
    """Return the placeholders of a pattern."""
    return frozenset(in_order(form))
