"""What analysts ask for: two people for a start, one worker for each request, and what came of it."""

from dataclasses import replace

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config, load
from account_alerts.config.postgres import Database
from account_alerts.model.analyst_rule import Rule, RuleError
from operations.analyst_rules import requests, worker
from operations.analyst_rules.requests import RequestError, RuleAction

pytestmark = pytest.mark.environment
RULE = Rule("salary_arrived", "-- Salary.\n-- limit: 5 alerts a minute\nSELECT * FROM bookings", "Salary.", 5)


@pytest.fixture
def config(bank: Database) -> Config:
    return load(overrides={"analyst_rules": {"two_people": True}}).model_copy(update={"bank": bank})


def test_a_start_needs_a_second_person_and_their_consent_holds_for_this_text_only(config: Config) -> None:
    with pytest.raises(RuleError, match="agreed to by nobody"):
        requests.require_agreement(config, [RULE])
    number = requests.ask(config, RULE, RuleAction.START, "ana", "T-1")
    assert requests.claim(config) is None
    with pytest.raises(RequestError, match="waits for a second person already"):
        requests.ask(config, RULE, RuleAction.START, "bo")
    with pytest.raises(RequestError, match="somebody else"):
        requests.agree(config, number, "ana")
    with pytest.raises(RuleError, match="agreed to by nobody"):
        requests.require_agreement(config, [RULE])
    agreed = requests.agree(config, number, "bo")
    assert (agreed.asked_by, agreed.agreed_by, agreed.reason, agreed.waits) == ("ana", "bo", "T-1", False)
    assert agreed.agreed_at is not None
    requests.require_agreement(config, [RULE])
    with pytest.raises(RuleError, match="with another text"):
        requests.require_agreement(config, [replace(RULE, sql=RULE.sql + " WHERE true")])
    for decide in (requests.agree, requests.withdraw):
        with pytest.raises(RequestError, match="does not wait any more"):
            decide(config, number, "cy")
    one = load().model_copy(update={"bank": config.bank})
    requests.require_agreement(one, [replace(RULE, name="other")])  # Where one person is enough.


def test_the_database_itself_lets_nobody_start_a_rule_alone(config: Config) -> None:
    number = requests.ask(config, RULE, RuleAction.START, "ana", "T-1")
    with database.connect(config.require("bank")) as connection:
        for change in ("begun_at = now()", "agreed_by = 'ana', agreed_at = now()", "agreed_by = 'bo'"):
            with pytest.raises(Exception, match="violates check"), connection.transaction():
                connection.execute(f"UPDATE rule_requests SET {change} WHERE id = %s", [number])


def test_a_start_that_was_refused_is_not_done_and_can_be_asked_for_again(config: Config) -> None:
    number = requests.ask(config, RULE, RuleAction.START, "ana", "T-1")
    assert requests.withdraw(config, number, "bo").withdrawn_by == "bo"
    assert requests.claim(config) is None
    again = requests.ask(config, RULE, RuleAction.START, "ana", "T-2")
    assert requests.newest(config)[RULE.name, RuleAction.START].id == again


def test_each_request_is_carried_out_once_in_order(config: Config) -> None:
    first = requests.ask(config, RULE, RuleAction.STOP, "ana")
    second = requests.ask(config, RULE, RuleAction.DISCARD, "ana")
    claimed = [requests.claim(config), requests.claim(config), requests.claim(config)]
    assert [request and request.id for request in claimed] == [first, second, None]
    requests.finish(config, first, succeeded=True, outcome="")
    requests.finish(config, first, succeeded=False, outcome="too late")
    done = requests.newest(config)[RULE.name, RuleAction.STOP]
    assert (done.succeeded, done.outcome) == (True, "done")


def test_a_request_whose_worker_was_killed_does_not_wait_for_ever(config: Config) -> None:
    number = requests.ask(config, RULE, RuleAction.STOP, "ana")
    assert requests.claim(config) is not None
    with database.connect(config.require("bank")) as connection:
        connection.execute("UPDATE rule_requests SET begun_at = begun_at - interval '1 day'")
    assert requests.claim(config) is None
    lost = requests.newest(config)[RULE.name, RuleAction.STOP]
    assert (lost.id, lost.succeeded) == (number, False)
    assert lost.outcome is not None
    assert lost.outcome.startswith("Its process ended")


def test_the_worker_runs_the_command_line_and_keeps_what_it_said(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(RULE, name="broken", sql="SELECT * FROM bookings")
    requests.ask(config, broken, RuleAction.TEST, "ana")
    assert worker.work(config)
    found = requests.newest(config)["broken", RuleAction.TEST]
    assert found.succeeded is False
    assert found.outcome is not None
    assert "broken.sql: says no limit" in found.outcome
    assert "/tmp" not in found.outcome
    monkeypatch.setitem(worker._COMMANDS, RuleAction.TEST, ("test", "--help"))
    requests.ask(config, RULE, RuleAction.TEST, "ana")
    assert worker.work(config)
    assert requests.newest(config)[RULE.name, RuleAction.TEST].succeeded is True
    assert not worker.work(config)
