"""The operators' pages with nothing there: no Kafka, no Flink, no database."""

import re
from dataclasses import replace
from typing import Any, cast

import pytest
from fastapi.routing import iter_route_contexts

from tests.unit.web.application import ORIGIN, Application, Browser
from tests.unit.web.operator.test_picture import NOW, whole
from web.operator import routes
from web.operator.picture import snapshot
from web.operator.readings import Reading


class Chain:
    """What is known of the chain."""

    def __init__(self, application: Application) -> None:
        self._config = application.config
        self.found = whole(application.config)

    def readings(self) -> Any:
        return self.found

    def snapshot(self) -> Any:
        return snapshot(self._config, self.found, NOW)


@pytest.fixture
def chain(application: Application) -> Chain:
    found = Chain(application)
    application.app.state.parts = replace(application.parts, chain=cast(Any, found))
    return found


async def log_in(browser: Browser) -> None:
    answer = await browser.log_in("operator-1")
    assert answer.status_code == 303, answer.text


def test_the_chain_is_shown_and_old_figures_are_not(application: Application, chain: Chain) -> None:
    async def steps(browser: Browser) -> None:
        await log_in(browser)
        page = (await browser.web.get("/operator")).text
        assert "All parts are healthy" in page
        assert "12/s" in page
        chain.found = replace(chain.found, kafka=Reading(chain.found.kafka.value, 1), jobs=Reading())
        page = (await browser.web.get("/operator")).text
        assert "account-entries" in page
        assert "12/s" not in page
        assert "No news" in page

    application.run(steps)


def test_every_second_the_picture_and_the_notice_only_when_it_changes(
    application: Application, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(routes, "_STREAM_SECONDS", 0.03)

    async def steps(browser: Browser) -> None:
        await log_in(browser)
        answer = await browser.web.get("/operator/live")
        assert answer.headers["content-type"].startswith("text/event-stream")
        messages = [text for text in answer.text.split("\n\n") if text]
        assert len(messages) == 3
        assert all(line.startswith("data: ") for text in messages for line in text.splitlines())
        assert ['id="trouble"' in text for text in messages] == [True, False, False]

    application.run(steps)


def test_the_plots_are_columns(application: Application, chain: Chain) -> None:
    async def steps(browser: Browser) -> None:
        await log_in(browser)
        found = (await browser.web.get("/operator/plots.json")).json()
        assert len(found["minutes"]) == 60
        assert set(found["channels"]) == {"EMAIL", "SMS", "PUSH"}

    application.run(steps)


@pytest.mark.parametrize(
    "path", ["/operator", "/operator/live", "/operator/plots.json", "/operator/lookup?who=1&ticket=T"]
)
def test_customers_and_strangers_see_none_of_it(application: Application, chain: Chain, path: str) -> None:
    async def steps(browser: Browser) -> None:
        assert (await browser.web.get(path)).status_code == 303
        await browser.log_in("customer-1")
        assert (await browser.web.get(path)).status_code == 403

    application.run(steps)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"who": "1"}, "Give the ticket"),
        ({"ticket": "T-1"}, "Give the id of a customer"),
        ({"who": "1", "ticket": "T-1", "day": "yesterday"}, "Give a day"),
        ({"who": "1\0", "ticket": "T-1"}, "Give the id of a customer"),
    ],
)
def test_nothing_is_looked_up_without_a_reason(
    application: Application, chain: Chain, values: dict[str, str], fault: str
) -> None:
    async def steps(browser: Browser) -> None:
        await log_in(browser)
        assert "Did we tell them, and why?" in (await browser.web.get("/operator/lookup")).text
        answer = await browser.web.get("/operator/lookup", params=values)
        assert answer.status_code == 422
        assert fault in answer.text

    application.run(steps)


def test_what_cannot_be_recorded_is_not_shown(application: Application, chain: Chain) -> None:
    async def steps(browser: Browser) -> None:
        await log_in(browser)
        application.database.is_away = True
        answer = await browser.web.get("/operator/lookup", params={"who": "1", "ticket": "T-1"})
        assert answer.status_code == 503

    application.run(steps)


_PARTS = {"{path}": "0-1", "{name}": "salary_arrived", "{number}": "1"}


def _operators_routes(application: Application) -> list[tuple[str, str]]:
    found = []
    for route in iter_route_contexts(application.app.routes):
        if isinstance(route.path, str) and route.path.startswith("/operator"):
            path = re.sub(r"{\w+}", lambda part: _PARTS[part[0]], route.path)
            found += [(method, path) for method in sorted(route.methods or ())]
    return found


def test_every_operators_route_is_closed_to_customers_and_to_nobody(
    application: Application, chain: Chain
) -> None:
    routes = _operators_routes(application)
    assert len(routes) >= 12

    async def steps(browser: Browser) -> None:
        async def ask(method: str, path: str) -> int:
            headers = {"Origin": ORIGIN}
            return (
                await browser.web.request(method, path, headers=headers, data={"do": "replay"})
            ).status_code

        for method, path in routes:
            assert await ask(method, path) == (303 if method == "GET" else 401), path
        await browser.log_in("customer-1")
        for method, path in routes:
            assert await ask(method, path) == 403, path

    application.run(steps)
