"""The rules' page: who may ask for what, who may agree, and what is shown of each rule."""

import json
from dataclasses import replace
from typing import Any

import pytest

from account_alerts.config import Config
from account_alerts.kafka.clients import KafkaUnreachableError
from account_alerts.model.analyst_rule import Rule
from operations.analyst_rules import quarantine, registry, requests
from operations.analyst_rules.registry import Registry, Started
from operations.analyst_rules.requests import RequestError, RuleAction, RuleRequest
from tests.unit.web.application import Application, Browser
from web.auth.dependencies import page_identity
from web.auth.identity import Identity, Role

NAME = "salary_arrived"
ASKED = RuleRequest(
    id=7,
    rule=NAME,
    action=RuleAction.START,
    sql="SELECT 'as it was asked for'",
    reason="T-88 <b>",
    asked_by="operator-2",
    asked_at=1_750_000_000_000,
    agreed_by=None,
    agreed_at=None,
    withdrawn_by=None,
    begun_at=None,
    ended_at=None,
    succeeded=None,
    outcome=None,
)
BACK_TEST = {
    "days": [{"day": "2026-11-29", "alerts": 5}, {"day": "2026-11-30", "alerts": 9}],
    "alerts": 14,
    "customers": 12,
    "busiest_minute": 6,
    "limit": 5,
}


class Bank:
    """What was asked for, and what Kafka says of rules."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, RuleAction], RuleRequest] = {}
        self.known = Registry()
        self.held: dict[str, int] = {}
        self.done: list[Any] = []
        self.refuses = ""
        self.kafka_is_away = False

    def ask(self, _: Config, rule: Rule, action: RuleAction, by: str, reason: str = "") -> int:
        if self.refuses:
            raise RequestError(self.refuses)
        self.done.append((rule.name, action.value, by, reason))
        return 1

    def decide(self, name: str) -> Any:
        def act(_: Config, number: int, by: str) -> RuleRequest:
            if self.refuses:
                raise RequestError(self.refuses)
            self.done.append((name, number, by))
            return ASKED

        return act

    def read(self, _: Config) -> Registry:
        if self.kafka_is_away:
            raise KafkaUnreachableError("Kafka does not answer (timed out)")
        return self.known


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    found = Bank()
    monkeypatch.setattr(requests, "newest", lambda _: found.newest)
    monkeypatch.setattr(requests, "ask", found.ask)
    monkeypatch.setattr(requests, "agree", found.decide("agree"))
    monkeypatch.setattr(requests, "withdraw", found.decide("withdraw"))
    monkeypatch.setattr(registry, "read", found.read)
    monkeypatch.setattr(quarantine, "counts", lambda *_: found.held)
    return found


def log_in(application: Application, *roles: Role, subject: str = "operator-1") -> None:
    """Let requests be somebody's with these roles."""
    application.app.dependency_overrides[page_identity] = lambda: Identity(subject, None, frozenset(roles))


def test_one_asks_and_another_agrees(application: Application, bank: Bank) -> None:
    async def steps(browser: Browser) -> None:
        log_in(application, Role.ANALYST)
        answer = await browser.post(f"/operator/rules/{NAME}", data={"do": "START", "reason": " T-88 "})
        assert answer.status_code == 303
        assert bank.done == [(NAME, "START", "operator-1", "T-88")]
        assert "Start: asked for" in (await browser.web.get(answer.headers["Location"])).text
        bank.newest = {(NAME, RuleAction.START): ASKED}
        page = (await browser.web.get("/operator/rules")).text
        assert "Waits for a second person" in page
        assert "T-88 &lt;b&gt;" in page
        assert "as it was asked for" in page
        assert "Agree to its start" not in page
        log_in(application, Role.APPROVER)
        assert "Agree to its start" in (await browser.web.get("/operator/rules")).text
        log_in(application, Role.APPROVER, subject="operator-2")
        page = (await browser.web.get("/operator/rules")).text
        assert "You asked, so someone else agrees." in page
        assert "Agree to its start" not in page
        log_in(application, Role.APPROVER)
        bank.done.clear()
        answer = await browser.post("/operator/rules/requests/7", data={"do": "agree"})
        assert answer.status_code == 303
        assert bank.done == [("agree", 7, "operator-1")]

    application.run(steps)


@pytest.mark.parametrize(
    ("roles", "path", "form", "status"),
    [
        ([Role.ANALYST], NAME, {"do": "START"}, 422),
        ([Role.ANALYST], NAME, {"do": "START", "reason": "x" * 201}, 422),
        ([Role.APPROVER], NAME, {"do": "START", "reason": "x"}, 403),
        ([Role.APPROVER], NAME, {"do": "TEST"}, 403),
        ([Role.ANALYST], NAME, {"do": "STOP"}, 403),
        ([Role.ANALYST], "requests/7", {"do": "agree"}, 403),
        ([Role.OPERATOR], "requests/7", {"do": "withdraw"}, 403),
        ([Role.CUSTOMER], NAME, {"do": "TEST"}, 403),
        ([Role.CUSTOMER], "requests/7", {"do": "agree"}, 403),
        ([Role.ANALYST], "no_such_rule", {"do": "TEST"}, 404),
        ([Role.ANALYST], NAME, {"do": "DROP"}, 422),
        ([Role.APPROVER], "requests/7", {"do": "drop"}, 422),
    ],
)
def test_who_may_not_or_asks_for_nonsense_changes_nothing(
    application: Application, bank: Bank, roles: list[Role], path: str, form: dict[str, str], status: int
) -> None:
    async def steps(browser: Browser) -> None:
        log_in(application, *roles)
        assert (await browser.post(f"/operator/rules/{path}", data=form)).status_code == status
        assert bank.done == []

    application.run(steps)


def test_customers_do_not_see_the_rules(application: Application, bank: Bank) -> None:
    async def steps(browser: Browser) -> None:
        await browser.log_in("customer-1")
        assert (await browser.web.get("/operator/rules")).status_code == 403

    application.run(steps)


def test_what_was_decided_meanwhile_is_said(application: Application, bank: Bank) -> None:
    bank.refuses = "It does not wait any more: look at the list."

    async def steps(browser: Browser) -> None:
        log_in(application, Role.APPROVER, Role.ANALYST)
        for path, form in (("requests/7", {"do": "agree"}), (NAME, {"do": "TEST"})):
            answer = await browser.post(f"/operator/rules/{path}", data=form)
            assert answer.status_code == 409
            assert bank.refuses in answer.text

    application.run(steps)


def test_states_outcomes_and_held_alerts(application: Application, bank: Bank) -> None:
    started = {name: Started(name, "SELECT 1", "About.", 5, 1_750_000_000_000) for name in (NAME, "flood")}
    bank.known = Registry(started, paused={"flood": None})
    bank.held = {"flood": 212}
    done = replace(ASKED, action=RuleAction.BACK_TEST, begun_at=1, ended_at=1_750_000_060_000, succeeded=True)
    failed = replace(done, action=RuleAction.TEST, rule="flood", succeeded=False, outcome="line 3: <no>")
    bank.newest = {
        (NAME, RuleAction.BACK_TEST): replace(done, outcome=json.dumps(BACK_TEST)),
        ("flood", RuleAction.TEST): failed,
    }

    async def steps(browser: Browser) -> None:
        log_in(application, Role.OPERATOR)
        page = (await browser.web.get("/operator/rules")).text
        assert "Live" in page
        assert (
            "14 alerts for 12 customers on 2 days; 6 in the busiest minute, limit 5; more than its limit"
            in page
        )
        assert "2026-11-29: 5, 2026-11-30: 9" in page
        assert "Stopped by its limit" in page
        assert "Release 212 alerts" in page
        assert "Test did not succeed" in page
        assert "line 3: &lt;no&gt;" in page
        assert "Ask to go live" not in page  # No analyst.

    application.run(steps)


def test_kafka_that_is_away_leaves_what_was_asked_for(application: Application, bank: Bank) -> None:
    bank.kafka_is_away = True
    bank.newest = {(NAME, RuleAction.START): ASKED}

    async def steps(browser: Browser) -> None:
        log_in(application, *Role)
        answer = await browser.web.get("/operator/rules")
        assert answer.status_code == 503
        assert "what rules do now is not known" in answer.text
        assert "Agree to its start" in answer.text
        assert "Not known" in answer.text
        assert "Not started" not in answer.text
        assert 'value="STOP"' not in answer.text

    application.run(steps)
