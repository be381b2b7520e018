"""A customer is erased from every store, and what is away is reported and leaves the others."""

import json
from collections.abc import Iterator

import pytest

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from devenv.services.catalog import DEVICES
from operations import erasure
from operations.erasure import Report
from operations.migrations import FOLDER, migrate
from tests.component.programs import Programs

pytestmark = pytest.mark.environment
_BANK = """
INSERT INTO customers (customer_id) VALUES ('gone'), ('stays');
INSERT INTO accounts VALUES ('erase-a');
INSERT INTO access_rights VALUES ('erase-a', 'gone'), ('erase-a', 'stays');
INSERT INTO operator_actions (done_by, action, subject, reason)
VALUES ('operator-1', 'LOOK_UP', 'gone', 'T-1');
"""
_DELIVERY = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, customer_id, address, source_partition,
  source_offset, written_at, received_at, claimed_at, due_at, lease_owner, attempts)
VALUES ('erase-' || %(customer)s, 'SMS', 'SMS', 'DEFERRED', 'T', %(customer)s, '+999', 0, 1, now(), now(),
  now(), now(), 'p', 1)
"""
_PROFILE = "INSERT INTO profiles (customer_id, time_zone, addresses, settings) VALUES (%s, 'UTC', '{}', '{}')"


@pytest.fixture
def config(postgres: Config, empty: Database, programs: Programs) -> Iterator[Config]:
    programs.start(DEVICES)
    migrate(empty, FOLDER / "bank")
    with database.connect(empty) as connection:
        connection.execute(_BANK)
    ledger = postgres.require("delivery")
    with database.connect(ledger) as connection:
        for customer in ("gone", "stays"):
            connection.execute(_DELIVERY, {"customer": customer})
            connection.execute(_PROFILE, [customer])
    yield postgres.model_copy(update={"bank": empty})
    with database.connect(ledger) as connection:
        connection.execute("DELETE FROM deliveries WHERE starts_with(alert_id, 'erase-')")
        connection.execute("DELETE FROM profiles WHERE customer_id IN ('gone', 'stays')")


def done(report: Report) -> dict[str, bool]:
    return {step.store: step.done for step in report.steps}


def test_nothing_of_the_customer_is_left_and_all_of_the_others(config: Config) -> None:
    report = erasure.erase(config, "gone", wait_seconds=0.1)
    # Nothing reads the topics here: that the senders still know them is said, and keeps nothing back.
    assert done(report) == {
        "bank's database": True,
        "senders' profiles": False,
        "delivery ledger": True,
        "device service": True,
    }
    assert not report.done
    with database.connect(config.require("delivery")) as connection:
        connection.execute("DELETE FROM profiles WHERE customer_id = 'gone'")
    again = erasure.erase(config, "gone", wait_seconds=0.1)
    assert again.done
    assert again.steps[0].words.startswith("was not there")
    with database.connect(config.require("bank")) as connection:
        sql = "SELECT customer_id FROM customers"
        assert connection.execute(sql).fetchall() == [("stays",)]
        kept = connection.execute("SELECT done_by, subject, reason FROM operator_actions").fetchall()
        assert kept == [("operator-1", None, "T-1")]
        left = connection.execute("SELECT count(*) FROM history WHERE new_row::text LIKE '%gone%'").fetchone()
        assert left == (0,)
    with database.connect(config.require("delivery")) as connection:
        rows = connection.execute(
            "SELECT alert_id, customer_id, address, state FROM deliveries"
            " WHERE starts_with(alert_id, 'erase-') ORDER BY alert_id"
        ).fetchall()
    assert rows == [("erase-gone", None, None, "CANCELLED"), ("erase-stays", "stays", "+999", "DEFERRED")]


def test_a_store_that_is_away_is_reported_without_the_customers_id(config: Config) -> None:
    assert config.devices is not None
    away = config.model_copy(
        update={
            "devices": config.devices.model_copy(update={"url": "http://localhost:1"}),
            "bank": config.require("bank").model_copy(update={"port": 1}),
        }
    )
    report = erasure.erase(away, "gone", wait_seconds=0.1)
    assert done(report) == {
        "bank's database": False,
        "senders' profiles": False,
        "delivery ledger": True,
        "device service": False,
    }
    assert all("gone" not in step.words.replace("not gone", "") for step in report.steps)
    json.dumps([step.words for step in report.steps])
