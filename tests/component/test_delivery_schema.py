"""The tables of the delivery database: their enumerations, and what migration 0002 makes of old rows."""

import json
import re
import shutil
from pathlib import Path

import pytest
from psycopg import errors

from account_alerts import postgres as database
from account_alerts.config import Config
from account_alerts.config.postgres import Database
from account_alerts.model.alerts import Channel, DeliveryState
from delivery.policy import DeferralReason
from operations.migrations import FOLDER, migrate

pytestmark = pytest.mark.environment
OLD_STATES = {
    "claimed": DeliveryState.CLAIMED,
    "held": DeliveryState.DEFERRED,
    "retry": DeliveryState.RETRYING,
    "handed over": DeliveryState.SENT,
    "confirmed": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.UNDELIVERED,
    "refused": DeliveryState.REJECTED,
    "expired": DeliveryState.EXPIRED,
    "withdrawn": DeliveryState.CANCELLED,
}
_INSERT = """
INSERT INTO deliveries (alert_id, channel, route, state, alert_type, source_partition, source_offset,
  written_at, received_at, claimed_at, handed_over_at, claimed_by, held_for, attempts, reason, steps)
VALUES (%s, 'SMS', 'SMS', %s, 'T', 0, 1, now(), now(), now(), now(), 'p1', 'quiet', 2, 'r', %s)
"""


@pytest.mark.parametrize(
    ("column", "values"),
    [("state", DeliveryState), ("channel", Channel), ("deferred_for", DeferralReason)],
)
def test_the_database_knows_the_same_values(
    postgres: Config, column: str, values: type[DeliveryState]
) -> None:
    sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"
    with database.connect(postgres.require("delivery")) as connection:
        [check] = connection.execute(sql, [f"deliveries_{column}_check"]).fetchone() or [""]
    assert sorted(re.findall(r"'([^']+)'", check)) == sorted(values)


def test_old_states_and_steps_get_their_new_names(empty: Database, tmp_path: Path) -> None:
    shutil.copy(FOLDER / "delivery/0001_ledger.sql", tmp_path)
    migrate(empty, tmp_path)
    old_steps = [
        {"at": 1, "step": "held", "reason": 'quiet "step": "held"'},
        {"at": 2, "step": "retry", "reason": None},
        {"at": 3, "step": "refused", "reason": "SMPP 0x0b"},
    ]
    with database.connect(empty) as connection:
        for state in OLD_STATES:
            connection.execute(_INSERT, [state, state, "[]"])
        connection.execute(_INSERT, ["with steps", "refused", json.dumps(old_steps)])
    shutil.copy(FOLDER / "delivery/0002_states.sql", tmp_path)
    assert migrate(empty, tmp_path) == ["0002_states.sql"]
    with database.connect(empty) as connection:
        rows = connection.execute(
            "SELECT alert_id, state, lease_owner, deferred_for, sent_at = written_at, delivered_at, "
            "attempts, reason FROM deliveries"
        ).fetchall()
        [steps] = connection.execute(
            "SELECT steps FROM deliveries WHERE alert_id = 'with steps'"
        ).fetchone() or [None]
        left = connection.execute("SELECT DISTINCT steps FROM deliveries WHERE alert_id <> 'with steps'")
        assert left.fetchall() == [([],)]
        with pytest.raises(errors.CheckViolation):
            connection.execute("UPDATE deliveries SET state = 'held'")
    assert {row[0]: row[1] for row in rows if row[0] in OLD_STATES} == OLD_STATES
    assert {row[2:] for row in rows} == {("p1", "quiet", True, None, 2, "r")}
    assert steps == [
        {"at": 1, "step": "DEFERRED", "reason": 'quiet "step": "held"'},
        {"at": 2, "step": "RETRYING", "reason": None},
        {"at": 3, "step": "REJECTED", "reason": "SMPP 0x0b"},
    ]
