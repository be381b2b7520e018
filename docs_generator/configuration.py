"""The configuration reference, from the pydantic models of `account_alerts.config`."""

import ast
import inspect
import textwrap
from collections import defaultdict
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, BeforeValidator, SecretStr, StringConstraints
from pydantic.fields import FieldInfo

from account_alerts.config import PREFIX, PROJECT, Config
from account_alerts.model.durations import parse_duration
from docs_generator.markdown import bullets, page, paragraph, sentence

_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms"))
_BOUNDS = {Ge: "at least", Gt: "more than", Le: "at most", Lt: "less than"}
_PORT = ", at least 1, at most 65535"
_PLAIN = {str: "text", int: "number", float: "number", bool: "`true` or `false`", Path: "path"}


def configuration() -> str:
    """Write the page of all sections and keys."""
    introduction = [
        "One YAML file describes an environment: `conf/local.yaml`, `conf/production.yaml`. A program reads "
        "the file that `--config` names, else the variable `ALERTS_CONFIG`, else `conf/local.yaml`. A wrong "
        "or unknown key is an error that names the key and the correction.",
        f"A variable overrides each key: `{PREFIX}` and the key in capitals, with two underscores for each "
        "dot. A **secret** comes from its variable only; in a file it is refused. A duration is a text such "
        "as `500ms`, `10s`, `5m`, `1h` or `7d`. A required key has no default; "
        "(local) is its value in `conf/local.yaml`.",
    ]
    described = [_section(name, field) for name, field in Config.model_fields.items() if sections(field)]
    single = [
        _key(name, name, field, "") for name, field in Config.model_fields.items() if not sections(field)
    ]
    return page("Configuration", *map(paragraph, introduction), bullets(single), *described)


def _section(path: str, field: FieldInfo) -> str:
    model = sections(field)[0]
    optional = "" if field.is_required() else " Optional."
    blocks = [f"## `{path}`", paragraph(_first_paragraph(model) + optional)]
    blocks += _keys(path, model)
    return "\n\n".join(blocks)


def _keys(path: str, model: type[BaseModel]) -> list[str]:
    described = _docstrings(model)
    items = []
    nested: dict[type[BaseModel], list[str]] = defaultdict(list)
    for name, field in model.model_fields.items():
        inner = sections(field)
        if inner and get_origin(field.annotation) not in (dict, list, tuple):
            nested[inner[0]].append(name)
        else:
            items.append(_key(f"{path}.{name}", name, field, described.get(name, "")))
    blocks = [bullets(items)]
    for inner_model, names in nested.items():
        blocks += _subsection(path, inner_model, names)
    return [block for block in blocks if block]


def _subsection(path: str, model: type[BaseModel], names: list[str]) -> list[str]:
    """Describe a section below another; several of one kind, such as the topics, are described once."""
    if len(names) == 1:
        below, known = f"{path}.{names[0]}", ""
    else:
        below, known = f"{path}.<name>", f" `<name>` is one of {', '.join(f'`{name}`' for name in names)}."
    return [f"### `{below}`", paragraph(_first_paragraph(model) + known), *_keys(below, model)]


def _key(path: str, name: str, field: FieldInfo, meaning: str) -> str:
    variable = f"{PREFIX}{path.upper().replace('.', '__')}"
    facts = [_type(field), _default(path, field), sentence(meaning), f"Variable `{variable}`."]
    return f"`{name}`: " + " ".join(fact for fact in facts if fact)


def _type(field: FieldInfo) -> str:
    text = _type_name(field.annotation, list(field.metadata))
    return sentence(text)


def _type_name(annotation: Any, metadata: list[Any]) -> str:
    """Name a type with its unit and its limits."""
    if hasattr(annotation, "__metadata__"):
        return _type_name(annotation.__origin__, [*annotation.__metadata__, *metadata])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _type_name(next(one for one in arguments if one is not NoneType), metadata)
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin in (list, tuple):
        return "list: " + _type_name(arguments[0], [])
    if origin is dict:
        return "map of names to values"
    if annotation is SecretStr:
        return "**secret**"
    if any(isinstance(one, BeforeValidator) and one.func is parse_duration for one in metadata):
        return "duration" + _bounds(metadata, _duration)
    bounds = _bounds(metadata, str)
    return "port" if bounds == _PORT else _PLAIN.get(annotation, "value") + bounds + _pattern(metadata)


def _bounds(metadata: list[Any], write: Any) -> str:
    found = []
    for item in metadata:
        for limit in (item, *getattr(item, "metadata", ())):
            for kind, words in _BOUNDS.items():
                if isinstance(limit, kind):
                    value = next(
                        getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name)
                    )
                    found.append(f"{words} {write(value)}")
    return "".join(f", {limit}" for limit in dict.fromkeys(found))


def _pattern(metadata: list[Any]) -> str:
    patterns = [item.pattern for item in metadata if isinstance(item, StringConstraints) and item.pattern]
    return "".join(f", matching `{pattern}`" for pattern in patterns)


def _duration(milliseconds: int) -> str:
    """Write a duration in its largest whole unit: 300000 is `5m`."""
    size, unit = next((size, unit) for size, unit in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


def _default(path: str, field: FieldInfo) -> str:
    if field.is_required():
        example = _example(path)
        return "Required." if example is None else f"Required (local: `{example}`)."
    value = field.get_default(call_default_factory=True)
    if value in (None, (), [], {}) or isinstance(value, BaseModel):
        return ""
    if "duration" in _type(field):
        value = _duration(value)
    return f"Default `{_write(value)}`."


def _example(path: str) -> str | None:
    """Write the value that the local environment has."""
    value: Any = _local()
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return None if value is None or isinstance(value, dict | list) else _write(value)


@cache
def _local() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((PROJECT / "conf/local.yaml").read_text())
    return data


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def sections(field: FieldInfo) -> list[type[BaseModel]]:
    """Find the sections that a field holds."""
    found, waiting = [], [field.annotation]
    while waiting:
        annotation: Any = waiting.pop()
        waiting += get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
    return found


def _first_paragraph(model: type[BaseModel]) -> str:
    return sentence(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0])


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Read the docstrings that stand below a model's fields, inherited ones included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if not issubclass(owner, BaseModel) or owner.__module__.startswith("pydantic"):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        names: list[str] = []
        for statement in body.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                names.append(statement.target.id)
            elif (
                isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
                and names
            ):
                found[names[-1]] = inspect.cleandoc(statement.value.value)
            else:
                names = []
    return found
