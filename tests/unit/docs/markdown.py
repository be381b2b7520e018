"""The project's Markdown files, and how the tests read them."""

import re
from pathlib import Path

from account_alerts.config import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("[a-z]*/README.md")])
NAMES = [str(page.relative_to(PROJECT)) for page in PAGES]
_FENCE = re.compile(r"^\s*```")


def prose(page: Path) -> list[str]:
    """Read a page's lines outside blocks of code."""
    return [line for line, inside in _lines(page) if not inside]


def code(page: Path) -> list[str]:
    """Read a page's lines inside blocks of code."""
    return [line for line, inside in _lines(page) if inside]


def headings(page: Path) -> set[str]:
    """Make the anchors of a page's headings, as GitHub does."""
    found = [line.lstrip("#").strip() for line in prose(page) if re.match(r"#{1,6} ", line)]
    return {anchor(heading) for heading in found}


def anchor(heading: str) -> str:
    """Make the anchor of a heading: small letters, hyphens for blanks, no punctuation."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def links(page: Path) -> list[str]:
    """Find the targets of a page's links and pictures, without those into the web."""
    text = re.sub(r"`[^`]*`", "", "\n".join(prose(page)))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def quoted(page: Path) -> list[str]:
    """Find what stands in back-ticks."""
    return re.findall(r"`([^`]+)`", "\n".join(prose(page)))


def _lines(page: Path) -> list[tuple[str, bool]]:
    inside, result = False, []
    for line in page.read_text().splitlines():
        if _FENCE.match(line):
            inside = not inside
            result.append((line, True))
        else:
            result.append((line, inside))
    return result
