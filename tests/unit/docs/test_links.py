"""What a page names is there: pages, headings, files, commands, modules, variables."""

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_origin

import pytest
from pydantic import BaseModel

from account_alerts.config import PREFIX, PROJECT, Config
from docs_generator.cli import command_names
from docs_generator.configuration import sections
from tests.unit.docs.markdown import NAMES, PAGES, code, headings, links, prose, quoted

pages = pytest.mark.parametrize("page", PAGES, ids=NAMES)
current_pages = pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.stem
)
"""The changelog names what there was, too."""
_NO_KEYS = {"bank.public.bookings", "capture.position"}
"""A topic and a header that look like keys of the configuration."""
_MADE = (".venv/", ".local")
"""What installing or running makes: no file of the project."""


@pages
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    missing = []
    for target in links(page):
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (fragment and fragment not in headings(file)):
            missing.append(target)
    assert missing == []


@current_pages
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    text = [*quoted(page), *re.findall(r"(?<![\w/.:-])([\w.-]+/[\w./*-]+)", "\n".join(code(page)))]
    named = {path for path in map(_path, text) if path is not None}
    assert sorted(path for path in named if not any(PROJECT.glob(path))) == []


def test_every_page_that_the_code_names_exists() -> None:
    found = subprocess.run(
        ["git", "grep", "-hoE", r"docs/[a-z0-9/_-]+\.md"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    named = set(found.stdout.split())
    assert sorted(name for name in named if not (PROJECT / name).exists()) == []


@current_pages
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = command_names()
    groups = {name for name in known if any(other.startswith(f"{name} ") for other in known)}
    unknown = []
    for words in _commands(page):
        depth = next(
            (n for n in range(min(3, len(words)), 0, -1) if " ".join(words[:n]) in known),
            1,
        )
        name = " ".join(words[:depth])
        rest = words[depth : depth + 1]
        if len(words) > 1 and (depth == 1 or (name in groups and rest)):
            unknown.append(" ".join(words))
    assert unknown == []


@current_pages
def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    modules = re.findall(r"python -m ([\w.]+)", "\n".join([*quoted(page), *code(page)]))
    assert [name for name in modules if not _runs(name)] == []


@current_pages
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"^\s*make ([a-z-]+)", "\n".join([*quoted(page), *code(page)]), re.MULTILINE)
    assert set(named) <= targets


@current_pages
def test_every_configuration_key_and_variable_that_a_page_names_exists(page: Path) -> None:
    keys = re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)[^`]*`", "\n".join(prose(page)))
    named = [
        key.split(".") for key in keys if key.split(".")[0] in Config.model_fields and key not in _NO_KEYS
    ]
    variables = re.findall(rf"\b{PREFIX}([A-Z0-9_]*[A-Z0-9])\b", page.read_text())
    named += [name.lower().split("__") for name in variables if name != "CONFIG"]
    assert [".".join(path) for path in named if not _is_key(Config, path)] == []


def _runs(module: str) -> bool:
    """Tell whether `python -m` runs a module: a package with `__main__`, or a file that calls its main."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        return False
    if spec.submodule_search_locations is not None:
        return importlib.util.find_spec(f"{module}.__main__") is not None
    return "__main__" in Path(spec.origin).read_text()


def _is_key(model: type[BaseModel], path: list[str]) -> bool:
    """Tell whether a path of keys leads to a field; below a map every key does."""
    field = model.model_fields.get(path[0])
    if field is None or len(path) == 1:
        return field is not None
    inner = sections(field)
    return get_origin(field.annotation) is dict or any(_is_key(one, path[1:]) for one in inner)


def _commands(page: Path) -> Iterator[list[str]]:
    """Find `alerts ...` in back-ticks and in blocks of code: its words up to the first option or value."""
    for text in [*quoted(page), *code(page)]:
        found = re.match(r"^\s*(?:\$ )?(?:\.venv/bin/)?alerts ([^#]*)", text)
        if found is None:
            continue
        words = ["alerts"]
        for word in found[1].split():
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                break
            words.append(word)
        yield words


def _path(text: str) -> str | None:
    """Take a text in back-ticks for a path of the project if it begins with a folder or a file of it."""
    text = text.removeprefix("./").split(":")[0]
    if not re.fullmatch(r"[\w.][\w./*-]*", text) or "/" not in text or text.startswith(_MADE):
        return None
    return text.rstrip("/") if text.split("/")[0] in _top_level() else None


@cache
def _top_level() -> set[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, check=True, capture_output=True, text=True)
    return {line.split("/")[0] for line in listed.stdout.splitlines()}
