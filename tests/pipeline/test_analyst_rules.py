"""Analysts' rules on the running pipeline: who is told, what a rule knows, and what its limit holds back."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.analyst_rules import lifecycle, registry
from operations.flink.run import RunFolder
from operations.job_runner import ClusterJobRunner
from tests.builders import Record, entry, setting, settings
from tests.pipeline.environment import Environment, wait
from tests.pipeline.harness import Observed, PipelineHarness
from tests.pipeline.scenario import Scenario
from tests.reference.binary import decode, encode
from tests.reference.model import KafkaRecord, expect

LIMIT = 3
RULES = {
    "told": """\
-- A large debit.
-- limit: 100000 alerts a minute
-- channels: SMS, EMAIL
SELECT *, 5000 AS threshold_minor
FROM bookings
WHERE credit_debit = 'DBIT' AND amount_minor > 5000 AND description = 'told'
""",
    "joined": """\
-- A debit on an account that somebody may see whose name ends with 1.
-- limit: 100000 alerts a minute
SELECT b.*, a.customer_id
FROM bookings AS b
JOIN authorizations AS a ON a.account_id = b.account_id
WHERE b.description = 'joined' AND a.customer_id LIKE '%1'
""",
    "fresh": """\
-- The first booking with a counterparty.
-- limit: 100000 alerts a minute
-- history: 1h
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY account_id, counterparty ORDER BY arrived_at) AS nth
  FROM bookings
  WHERE description = 'fresh'
)
WHERE nth = 1
""",
    "flood": f"""\
-- Too much.
-- limit: {LIMIT} alerts a minute
-- channels: PUSH
SELECT * FROM bookings WHERE description = 'flood'
""",
}


class Known:
    """Accounts with customers: number n is seen by `<n>-c1` and `<n>-c2`."""

    def __init__(self, scenario: Scenario) -> None:
        """Begin with none."""
        self.scenario = scenario

    def customer(self, account: int, number: int) -> str:
        """The id of a customer."""
        return self.scenario.id(f"{account}-c{number}")

    def account(self, number: int) -> str:
        """The id of an account."""
        return self.scenario.id(f"a{number}")

    def opens(self, account: int) -> None:
        """Two customers who may see an account, and asked for nothing."""
        self.scenario.authorize(self.account(account), self.customer(account, 1), self.customer(account, 2))
        for number in (1, 2):
            self.scenario.write_settings(settings(self.customer(account, number)))

    def books(self, account: int, description: str, **fields: Any) -> str:
        """A debit of 100.00; returns its id."""
        entry_id = self.scenario.next_id()
        fields = {"amount_minor": 10_000, "booked_at": int(time.time() * 1000), **fields}
        self.scenario.write_booking(entry(entry_id, self.account(account), description=description, **fields))
        return entry_id


@pytest.fixture(scope="module")
def before(pipeline: PipelineHarness) -> Known:
    """What is there before the rules are started: an account, and a booking with a counterparty."""
    known = Known(Scenario(pipeline, pipeline.new_prefix()))
    known.opens(0)
    known.books(0, "fresh", counterparty="old")
    known.scenario.await_effect()
    return known


@pytest.fixture(scope="module")
def rules(
    environment: Environment, before: Known, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """All the rules, running."""
    folder = tmp_path_factory.mktemp("rules")
    for name, sql in RULES.items():
        (folder / f"{name}.sql").write_text(sql)
    environment.alerts("rules", "start", *(str(folder / f"{name}.sql") for name in RULES))
    yield folder
    for name in RULES:
        environment.alerts("rules", "stop", name)
    environment.cancel("adhoc-alerts")  # The tests after these need none.


@pytest.fixture
def known(scenario: Scenario, rules: Path) -> Known:
    """A test's own accounts, the rules running."""
    return Known(scenario)


def find_alerts(scenario: Scenario, rule: str) -> list[Observed]:
    """What came of a rule for a test's bookings, repeats included."""
    return [each for each in scenario.alerts() if each.record["alert_type"] == rule]


def places(alerts: list[Observed]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """(channel, address) of each alert, by booking and customer."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for each in alerts:
        record = each.record
        assert each.channel == record["channel"]
        assert each.key == record["customer_id"].encode()
        by = found.setdefault((record["entry_id"], record["customer_id"]), set())
        by.add((record["channel"], record["address"]))
    return found


def as_wished(scenario: Scenario, threshold: int) -> list[KafkaRecord]:
    """The records as if each customer had wished by himself for what the rule says: the model knows that."""
    wished = []
    for record in scenario.records:
        value = (
            decode("AlertSettings", record.value)
            if record.topic == scenario.pipeline.topics.settings
            else None
        )
        if value is not None:
            accounts = {scenario.id(f"a{number}") for number in range(60)}
            value["settings"] = [
                setting("s", account, threshold_minor=threshold, channels=["EMAIL", "SMS"])
                for account in accounts
            ]
            changed = encode("AlertSettings", value)
            record = KafkaRecord(
                record.topic, record.partition, record.offset, record.timestamp, record.key, changed
            )
        wished.append(record)
    return wished


def verify(scenario: Scenario, rule: str, threshold: int) -> None:
    """Wait for all that must come of a rule, and fail with what is missing, or came though it must not."""
    scenario.pipeline.flush()
    expected = expect(as_wished(scenario, threshold), scenario.pipeline.topics)
    allowed = {
        who: [{(alert.channel, alert.address) for alert in outcome} for outcome in outcomes]
        for who, outcomes in expected.alerts.items()
    }
    certain = {
        (alert.entry_id, alert.customer_id, alert.channel, alert.address) for alert in expected.certain
    }

    def complete() -> bool:
        came = places(find_alerts(scenario, rule))
        return certain <= {(*who, *place) for who, found in came.items() for place in found}

    scenario.wait_for(complete, "all alerts of the rule")
    came = places(find_alerts(scenario, rule))
    wrong = {who: found for who, found in came.items() if found not in allowed.get(who, [])}
    assert not wrong
    assert certain


def ids(alerts: list[Observed]) -> dict[tuple[Any, ...], set[str]]:
    """The ids of each alert."""
    found: dict[tuple[Any, ...], set[str]] = {}
    for each in alerts:
        record: Record = each.record
        what = tuple(record[name] for name in ("entry_id", "customer_id", "setting_id", "channel", "address"))
        found.setdefault(what, set()).add(record["alert_id"])
    return found


def test_an_alert_of_a_rule(known: Known) -> None:
    known.opens(1)
    known.scenario.await_effect()
    small = known.books(1, "told", amount_minor=5000)
    entry_id = known.books(1, "told", balance_minor=-77)
    without_balance = known.books(1, "told", balance_minor=None)
    known.scenario.pipeline.flush()
    known.scenario.wait_for(lambda: len(find_alerts(known.scenario, "told")) >= 8, "eight alerts")
    for each in find_alerts(known.scenario, "told"):
        record = each.record
        assert record["entry_id"] in (entry_id, without_balance)
        assert record["entry_id"] != small
        assert record["setting_id"] == "adhoc:told"
        balance = {"balance_minor": "-77"} if record["entry_id"] == entry_id else {}
        assert record["params"] == {"threshold_minor": "5000", "amount_minor": "10000", **balance}
        assert record["language"] == "en"


def test_who_may_see_it_and_where_he_is_reached_go_by_the_time_of_the_booking(known: Known) -> None:
    scenario = known.scenario
    for account in range(1, 40):
        known.opens(account)
    scenario.await_effect()
    for pause in range(6):
        for account in range(1, 40):
            known.books(account, "told")
            scenario.pipeline.poll(0)
            if account % 6 == pause:
                scenario.authorize(known.account(account), *[known.customer(account, 2)] * (account % 2))
            elif account % 6 == (pause + 1) % 6:
                other = [{"channel": "SMS", "address": f"+9990{pause}"}]
                scenario.write_settings(settings(known.customer(account, 1), addresses=other))
            elif account % 6 == (pause + 2) % 6:
                scenario.delete_settings(known.customer(account, 2))
        scenario.pipeline.consume_until_time(time.monotonic() + 0.4)
    scenario.await_effect()
    for account in range(1, 40):
        known.books(account, "told")
    verify(scenario, "told", 5000)


def test_a_rule_that_names_the_customer_and_one_who_may_not_see_it(known: Known) -> None:
    known.opens(1)
    known.scenario.await_effect()
    entry_id = known.books(1, "joined")
    known.scenario.pipeline.flush()
    known.scenario.wait_for(
        lambda: len(find_alerts(known.scenario, "joined")) >= 3, "an alert on each channel"
    )
    known.scenario.authorize(known.account(1), known.customer(1, 2))
    known.scenario.await_effect()
    known.books(1, "joined")
    last = known.books(1, "told")
    known.scenario.wait_for(
        lambda: any(who[0] == last for who in places(known.scenario.alerts())), "what came later"
    )
    assert set(places(find_alerts(known.scenario, "joined"))) == {(entry_id, known.customer(1, 1))}


def test_a_rule_knows_what_was_before_its_start(known: Known, before: Known) -> None:
    account = before.account(0)
    scenario = before.scenario
    again = before.books(0, "fresh", counterparty="old")
    new = before.books(0, "fresh", counterparty="new")
    twice = before.books(0, "fresh", counterparty="new")
    last = before.books(0, "told")
    scenario.pipeline.flush()
    scenario.wait_for(
        lambda: any(who[0] == last for who in places(scenario.alerts())), f"what came last on {account}"
    )
    scenario.wait_for(lambda: bool(find_alerts(scenario, "fresh")), "the new one")
    told = {who[0] for who in places(find_alerts(scenario, "fresh"))}
    assert told == {new}, (again, twice)


def test_what_is_over_the_limit_is_quarantined_and_sent_or_discarded(
    known: Known, environment: Environment, tmp_path: Path
) -> None:
    scenario = known.scenario
    known.opens(1)
    scenario.await_effect()

    def state() -> dict[str, Any]:
        return next(
            line
            for line in json.loads(environment.alerts("rules", "list", "--json"))
            if line["name"] == "flood"
        )

    def flood(bookings: int, after: float = 0.0) -> None:
        # In one minute of the clock, which the limit is of, and in another one than what counted before.
        left = 60 - time.time() % 60
        wait_for_next = left < 20 or time.time() // 60 == after // 60
        scenario.pipeline.consume_until_time(time.monotonic() + (left + 0.1 if wait_for_next else 0.0))
        for _ in range(bookings):
            known.books(1, "flood")
        other = known.books(1, "told")
        scenario.pipeline.flush()
        scenario.wait_for(
            lambda: any(who[0] == other for who in places(find_alerts(scenario, "told"))), "the other rule"
        )

    def stopped() -> None:
        wait(lambda: "rule-flood" not in environment.jobs(), "its job is ended")
        scenario.wait_for(lambda: int(state()["quarantined"]) == 8 - LIMIT, "what is over the limit")
        assert state()["state"] == "paused by its limit"

    def told() -> set[str]:
        return {who[0] for who in places(find_alerts(scenario, "flood"))}

    def lose_what_was_noted() -> None:
        # As if Flink had ended the job, and its answer had reached nobody: whoever watches next finds out.
        state = registry.read(environment.config).paused["flood"]
        registry.resume(environment.config, "flood")
        elsewhere = ClusterJobRunner(environment.config, folder=RunFolder(tmp_path))
        assert lifecycle.pause(elsewhere, "flood", lambda known: "flood" in known.started)
        assert registry.read(environment.config).paused["flood"] == state is not None
        assert not lifecycle.pause(elsewhere, "flood", lambda known: True)

    flood(4)
    scenario.wait_for(lambda: len(find_alerts(scenario, "flood")) == LIMIT, "what the limit lets through")
    stopped()
    lose_what_was_noted()
    between, between_at = known.books(1, "flood"), time.time()
    other = known.books(1, "told")
    scenario.pipeline.flush()
    scenario.wait_for(
        lambda: other in {who[0] for who in places(scenario.alerts())}, "a booking of another rule"
    )
    assert between not in told()
    environment.alerts("rules", "resume", "flood")
    assert state()["state"] == "runs"
    scenario.wait_for(
        lambda: len(ids(find_alerts(scenario, "flood"))) == 10, "the quarantined ones, and what came since"
    )
    assert between in told()
    flood(4, after=between_at)
    stopped()
    given_up = known.books(1, "flood")
    scenario.pipeline.flush()
    environment.alerts("rules", "discard", "flood")
    assert state()["state"] == "runs"
    last = known.books(1, "flood")
    scenario.pipeline.flush()
    scenario.wait_for(lambda: last in told(), "it goes on from now")
    scenario.wait_for(lambda: len(ids(find_alerts(scenario, "flood"))) == 10 + LIMIT + 2, "no more than that")
    assert given_up not in told()
    assert state()["quarantined"] == 0
    assert all(len(each) == 1 for each in ids(find_alerts(scenario, "flood")).values())


def test_a_killed_task_manager_loses_none_of_a_rules_alerts(known: Known, environment: Environment) -> None:
    scenario = known.scenario
    for account in range(1, 20):
        known.opens(account)
    scenario.await_effect()
    booked = []
    for number in range(600):
        booked.append(known.books(1 + number % 19, "told"))
        scenario.pipeline.consume_until_time(time.monotonic() + 0.005)
        if number == 200:
            os.kill(environment.task_manager().pid, signal.SIGKILL)
    scenario.pipeline.flush()

    def told() -> bool:
        return len(ids(find_alerts(scenario, "told"))) == len(booked) * 2 * 2

    scenario.wait_for(told, "two alerts for each of two customers", 120)
    assert all(len(each) == 1 for each in ids(find_alerts(scenario, "told")).values())
