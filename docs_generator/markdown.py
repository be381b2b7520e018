"""Markdown of generated pages: lines of at most 100 characters."""

import re
import textwrap

WIDTH = 100
NOTICE = "<!-- Written by `make docs` from the code. Do not edit. -->"
_UNBREAKABLE = re.compile(r"`[^`]{1,60}`|\[[^\]]*\]\([^)]*\)")
_KEPT_BLANK = "\0"


def page(title: str, *blocks: str) -> str:
    """Join a title and blocks to a page; empty blocks are left out."""
    return "\n\n".join([f"# {title}", NOTICE, *(block for block in blocks if block)]) + "\n"


def paragraph(text: str, lead: str = "") -> str:
    """Wrap text to one paragraph; `lead` is what its first line begins with, such as `- `."""
    kept = _UNBREAKABLE.sub(lambda found: found[0].replace(" ", _KEPT_BLANK), " ".join(text.split()))
    lines = textwrap.wrap(
        kept,
        WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_KEPT_BLANK, " ")


def bullets(items: list[str]) -> str:
    """Make a list, an item a paragraph."""
    return "\n".join(paragraph(item, "- ") for item in items)


def code(text: str, language: str = "") -> str:
    """Make a block of code."""
    return f"```{language}\n{text.strip()}\n```"


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Make a table; a bar in a cell is escaped."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def sentence(text: str) -> str:
    """End a text with a full stop where it has none."""
    text = " ".join(text.split())
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
