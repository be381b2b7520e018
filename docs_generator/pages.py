"""Which page is written by which function."""

from collections.abc import Callable

from docs_generator.cli import cli
from docs_generator.configuration import configuration
from docs_generator.gateway_answers import gateway_answers
from docs_generator.http_apis import http_apis
from docs_generator.metrics import metrics
from docs_generator.topics import topics

PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/configuration.md": configuration,
    "docs/reference/metrics.md": metrics,
    "docs/reference/topics.md": topics,
    "docs/reference/cli.md": cli,
    "docs/reference/http-api.md": http_apis,
    "docs/reference/gateway-answers.md": gateway_answers,
}
"""Path in the project, and what renders it."""
