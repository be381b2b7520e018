"""The reference of the HTTP interfaces, from the OpenAPI description of their FastAPI applications."""

import tempfile
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from account_alerts.config import PROJECT, load
from devenv.bank.device_service.app import make_app as device_service
from devenv.bank.device_service.store import Store
from docs_generator.markdown import bullets, page, paragraph, sentence
from ingest.clicks.app import make_app as clicks_endpoint
from ingest.clicks.writer import Writer
from web.app import create_app
from web.parts import make_parts

_CLICKS = (
    "Takes what customers do on web pages and in the app. [The guide](../guides/connect-your-bank/clicks.md) "
    "says when to send what."
)
_BANK_APP = (
    "What the bank's own app calls in a customer's name. [The guide](../guides/web-application.md#the-api) "
    "says what its requests have in common; the web application serves the description as "
    "`/api/v1/openapi.json`."
)
_DEVICES = (
    "The device service of the local environment. A bank's own needs the look-up only: "
    "[the guide](../guides/connect-your-bank/devices.md)."
)


def http_apis() -> str:
    """Write the page of all HTTP interfaces."""
    with tempfile.TemporaryDirectory() as folder:
        devices = device_service(Store(Path(folder) / "devices.db"), None).openapi()
    no_writer = cast(Writer, None)  # It is used by requests only.
    config = load(PROJECT / "conf/local.yaml")
    clicks = clicks_endpoint(config, no_writer, CollectorRegistry()).openapi()
    secret = {"web": {"session_secret": "0" * 32}}
    bank_app = create_app(make_parts(config.override(secret), CollectorRegistry())).openapi()
    return page(
        "HTTP APIs",
        "## API of the bank's app",
        paragraph(_BANK_APP),
        *_operations(bank_app),
        "## Clicks endpoint",
        paragraph(_CLICKS),
        *_operations(clicks),
        "## Device service",
        paragraph(_DEVICES),
        *_operations(devices),
    )


def _operations(api: dict[str, Any]) -> list[str]:
    blocks = []
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            blocks.append(f"### `{method.upper()} {path}`")
            blocks += [
                paragraph(sentence(part)) for part in operation.get("description", "").split("\n\n") if part
            ]
            blocks.append(
                bullets([*_parameters(operation), *_body(api, operation), *_answers(api, operation)])
            )
    return blocks


def _parameters(operation: dict[str, Any]) -> list[str]:
    return [
        f"{one['in'].capitalize()} `{one['name']}`{'' if one.get('required') else ', optional'}."
        for one in operation.get("parameters", [])
    ]


def _body(api: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return [] if content is None else [f"Body: {choice}." for choice in _shapes(api, content["schema"])]


def _answers(api: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    items = []
    for status, answer in operation["responses"].items():
        content: dict[str, Any] = next(iter(answer.get("content", {}).values()), {})
        shapes = [shape for shape in _shapes(api, content.get("schema", {})) if shape]
        body = f" {shapes[0]}." if shapes and status.startswith("2") else ""
        items.append(
            f"{status}: {sentence(answer['description'].replace('Successful Response', 'Success'))}{body}"
        )
    return items


def _shapes(api: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """Name the fields of each form that a schema allows."""
    if "$ref" in schema:
        return _shapes(api, api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return [shape for one in schema[key] for shape in _shapes(api, one)]
    required = schema.get("required", [])
    fields = [
        f"`{name}`" + _value(field) + ("" if name in required else " (optional)")
        for name, field in schema.get("properties", {}).items()
    ]
    return [", ".join(fields)]


def _value(field: dict[str, Any]) -> str:
    return f" `{field['const']}`" if "const" in field else ""
