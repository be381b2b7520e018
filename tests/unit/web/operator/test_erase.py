from typing import Any

import pytest

from account_alerts.config import Config
from operations import erasure
from operations.erasure import Report, Step
from tests.unit.web.application import Application, Browser
from web.auth.identity import Identity
from web.store import actions
from web.store.actions import Action

FORM = {"customer": "c-1", "again": " c-1 ", "ticket": "T-1"}


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was noted and erased, in order."""
    found: list[Any] = []

    async def record(_: Any, by: Identity, action: Action, subject: str, reason: str = "") -> None:
        found.append((by.subject, action.value, subject, reason))

    def erase(_: Config, customer: str, wait_seconds: float) -> Report:
        found.append(customer)
        return Report(customer, (Step("delivery ledger", False, "does not answer <it>"),))

    monkeypatch.setattr(actions, "record", record)
    monkeypatch.setattr(erasure, "erase", erase)
    return found


def test_it_is_noted_then_done_and_reported(application: Application, done: list[Any]) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        assert "This cannot be undone" in (await browser.web.get("/operator/erase")).text
        answer = await browser.post("/operator/erase", data=FORM)
        assert answer.status_code == 200
        assert "Not all is done" in answer.text
        assert "does not answer &lt;it&gt;" in answer.text
        assert done == [("operator-1", "ERASE", "c-1", "T-1"), "c-1"]

    application.run(steps)


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({**FORM, "again": "c-2"}, "The two ids are not the same"),
        ({**FORM, "customer": ""}, "whole id"),
        ({**FORM, "ticket": " "}, "Give the ticket"),
        ({}, "Give the ticket"),
    ],
)
def test_a_slip_erases_nobody(
    application: Application, done: list[Any], form: dict[str, str], fault: str
) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("operator-1")
        answer = await browser.post("/operator/erase", data=form)
        assert answer.status_code == 422
        assert fault in answer.text
        assert done == []

    application.run(steps)


def test_customers_erase_nobody(application: Application, done: list[Any]) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        assert (await browser.post("/operator/erase", data=FORM)).status_code == 403
        assert (await browser.web.get("/operator/erase")).status_code == 403
        assert done == []

    application.run(steps)
