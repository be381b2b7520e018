from account_alerts.config import load
from web.operator.plots import plots
from web.operator.readings import (
    Checkpoint,
    JobFigures,
    KafkaFigures,
    LedgerFigures,
    Reading,
    Readings,
)

MINUTE = 60_000
NOW = 1_800_000_000_000 // MINUTE * MINUTE + 20_000
LAST = NOW // MINUTE * MINUTE - MINUTE
"""The last whole minute."""


def test_columns_have_the_same_length_and_end_with_the_last_whole_minute() -> None:
    config = load()
    ledger = LedgerFigures(
        {}, minutes={LAST: {("SMS", "BALANCE_BELOW"): 3, ("EMAIL", "BALANCE_BELOW"): 2}, NOW: {}}
    )
    entries = config.topics.account_entries.name
    kafka = KafkaFigures({}, {}, {entries: {LAST: 700, LAST + MINUTE: 12}})
    job = JobFigures("alerting", "RUNNING", failures=(LAST,), checkpoints=(Checkpoint(LAST, 400),))
    found = plots(
        config, Readings(Reading(kafka, NOW), Reading((job,), NOW), ledger=Reading(ledger, NOW)), NOW
    )
    assert found["minutes"][-1] == LAST // 1000
    columns = [
        *found["channels"].values(),
        *found["types"].values(),
        found["bookings"],
        found["dead_letters"],
    ]
    assert {len(column) for column in columns} == {60}
    assert found["channels"]["SMS"][-2:] == [0, 3]
    assert found["types"]["BALANCE_BELOW"][-1] == 5
    assert found["bookings"][-1] == 700
    assert found["restarts"] == [{"job": "alerting", "at": LAST // 1000}]
    assert found["checkpoints"] == [{"job": "alerting", "at": LAST // 1000, "duration": 400}]
    assert found["old"] == []


def test_minutes_since_the_last_news_are_gaps_and_not_zero() -> None:
    config = load()
    gone = NOW - 5 * MINUTE
    readings = Readings(
        Reading(KafkaFigures({}, {}, {}), gone), Reading(), ledger=Reading(LedgerFigures({}), gone)
    )
    found = plots(config, readings, NOW)
    assert found["channels"]["SMS"][-6:] == [0, None, None, None, None, None]
    assert found["bookings"] == [None] * 60
    assert found["old"] == ["alerts", "bookings", "jobs"]
