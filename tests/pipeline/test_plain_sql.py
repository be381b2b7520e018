"""The chain in plain Flink SQL (sql/reference/) beside the job: the same topics, the same alerts."""

from account_alerts.config import PROJECT
from tests.pipeline.environment import Environment
from tests.pipeline.scenario import Scenario
from tests.pipeline.test_alerts import Person
from tests.pipeline.test_counts import Cardholder


def test_it_gives_the_alerts_of_the_job(environment: Environment, scenario: Scenario) -> None:
    owner, partner, left = Cardholder(scenario), Person(scenario, "partner"), Person(scenario, "left")
    owner.asks(
        owner.setting("all", channels=["EMAIL", "SMS"]),
        owner.setting("invalid", channels=["EMAIL", "FAX"]),
        owner.setting("elsewhere", account_id=partner.account),
        owner.setting("dollars", currency="USD"),
        owner.counts("many", 2, 10),
        owner.counts("more", 3, 60, channels=["PUSH"]),
    )
    partner.asks(
        partner.setting("low", account_id=owner.account, alert_type="BALANCE_BELOW", threshold_minor=9_000),
        partner.setting("in", account_id=owner.account, alert_type="CREDITED_ABOVE"),
        addresses=[{"channel": "EMAIL", "address": '"ü\\x"@example.com'}] * 2,
    )
    left.asks(left.setting("s"))
    scenario.await_effect()
    owner.pays(0, 1, 2, 3, 30, 31, 29, 32)
    owner.books(balance_minor=8_500)
    lost = left.books()
    scenario.authorize(owner.account, owner.id, partner.id)
    scenario.authorize(left.account)
    scenario.await_effect()
    owner.books(balance_minor=8_500)
    owner.books(credit_debit="CRDT")
    left.books()
    owner.asks(owner.setting("all", threshold_minor=5_000))
    scenario.await_effect()
    owner.books()
    owner.books(amount_minor=5_001)
    assert len(scenario.verify().certain) > 20

    told = ("alert_id", "address", "entry_id")
    topics = {channel: topic.name for channel, topic in environment.config.topics.map_channels().items()}
    job = {
        (topics[each.channel], *(each.record[name] for name in told), reason["setting_id"])
        for each in scenario.alerts()
        for reason in each.record["reasons"]
    }
    printed = environment.alerts("sql", str(PROJECT / "sql/reference/alerts.sql"))
    rows = [tuple(map(str.strip, line.split("|")[2:-1])) for line in printed.splitlines() if "| +I |" in line]
    # Other scenarios' ids have line breaks: such a row stands on several lines.
    own = [row for row in rows if len(row) > 7 and row[5].startswith(scenario.id(""))]
    assert own, printed
    plain = {(row[0], row[1], row[3], row[5], row[6]) for row in own}
    # upsert-kafka gives a tombstone the time of the record it deletes: the booking between them meets nobody.
    assert plain == {row for row in job if row[3] != lost}
    assert lost in {row[3] for row in job}
