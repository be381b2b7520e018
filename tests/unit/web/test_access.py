"""Every route of the application, whoever asks: nobody, a customer, the bank's own people.

The API's are in tests/component/test_web_api.py, with what is another customer's.
"""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts

from account_alerts.model.alerts import Channel
from tests.unit.web.application import ORIGIN, Application, Browser, configure

PUBLIC = {
    *("/", "/login", "/login/callback", "/logout", "/static/{version}/{name}", "/api/v1/openapi.json"),
    "/unsubscribe/{token}",  # The token is signed: it says whose mails of what end.
}
"""What is there for everyone; none of it shows what is a customer's."""


def pages(application: Application) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route that is not the API's."""
    for route in iter_route_contexts(application.app.routes):
        if route.path and route.path not in PUBLIC and not route.path.startswith("/api/"):
            path = re.sub(r"\{[^}]*\}", Channel.EMAIL, route.path)
            for method in sorted(route.methods or ()):
                if method != "HEAD":
                    yield method, path


PAGES = sorted(set(pages(Application(configure()))))
OPERATORS = [(method, path) for method, path in PAGES if path.startswith("/operator")]
CUSTOMERS = sorted(set(PAGES) - set(OPERATORS))


async def ask(browser: Browser, method: str, path: str) -> int:
    answer = await browser.web.request(method, path, headers={"Origin": ORIGIN})
    if answer.status_code == 303 and answer.headers["Location"].startswith("/login?"):
        return 401
    return answer.status_code


def test_there_are_pages_of_both() -> None:
    assert len(OPERATORS) > 5


@pytest.mark.parametrize(("subject", "refused"), [(None, 401), ("customer-7", 403)])
def test_operators_pages_are_theirs_only(application: Application, subject: str | None, refused: int) -> None:
    async def steps(browser: Browser) -> None:
        if subject is not None:
            await browser.log_in(subject)
        for method, path in OPERATORS:
            assert await ask(browser, method, path) == refused, f"{method} {path}"

    application.run(steps)


@pytest.mark.parametrize(("subject", "refused"), [(None, 401), ("operator-1", 403)])
def test_customers_pages_are_theirs_only(application: Application, subject: str | None, refused: int) -> None:
    async def steps(browser: Browser) -> None:
        if subject is not None:
            await browser.log_in(subject)
        for method, path in CUSTOMERS:
            assert await ask(browser, method, path) == refused, f"{method} {path}"

    application.run(steps)
