"""Markdown has lines of at most 100 characters, and the README stays a page that sells and starts."""

import re
from pathlib import Path

import pytest

from account_alerts.config import PROJECT
from tests.unit.docs.markdown import NAMES, PAGES

WIDTH = 100


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_lines_are_at_most_100_characters_long(page: Path) -> None:
    long = [
        f"{number}: {line}"
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if len(line) > WIDTH and not _cannot_be_wrapped(line)
    ]
    assert long == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_customer_is_they(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"\b(?:he|him|his|she|her|hers)\b", text, re.IGNORECASE) == []


def test_the_readme_is_short_and_its_tables_are_narrow() -> None:
    lines = (PROJECT / "README.md").read_text().splitlines()
    assert len(lines) <= 125
    assert [line for line in lines if line.startswith("|") and line.count("|") > 3] == []


def _cannot_be_wrapped(line: str) -> bool:
    """Tell whether a line is a row of a table, or one link or word after its indent."""
    return line.startswith("|") or len(re.sub(r"\[[^\]]*\]\(", "", line).strip("-*. ").split()) == 1
