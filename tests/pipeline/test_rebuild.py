"""Drained and begun anew from Kafka while bookings go on, as from a version whose state does not fit."""

import time
from datetime import UTC, datetime

from operations.flink import savepoints
from operations.flink.rest import FlinkRest
from tests.pipeline.environment import Environment
from tests.pipeline.scenario import Scenario
from tests.pipeline.test_restart import jobs  # noqa: F401
from tests.pipeline.test_upgrade import ACCOUNTS, ask, counts, load


def test_drained_and_rebuilt_under_load(
    jobs: Environment,  # noqa: F811
    scenario: Scenario,
) -> None:
    """Nothing is missing, counts go on; only alerts since the named time come again, by equal ids."""
    pipeline = scenario.pipeline
    ask(scenario, counts("raised", 5))
    with load(scenario) as count:
        pipeline.consume_until_time(time.monotonic() + 8)
    scenario.verify()
    before = count()
    ask(scenario, counts("raised", 5), counts("on its way", before // ACCOUNTS + 60))
    raise_from = datetime.now(UTC)
    with load(scenario, first=before) as count:
        pipeline.consume_until_time(time.monotonic() + 5)
        flink = FlinkRest(jobs.config.flink.rest_url)
        job = flink.live_job("alerting")
        assert job is not None
        savepoints.stop(flink, job)
        pipeline.consume_until_time(time.monotonic() + 2)
        drained = len(pipeline.alerts)
        jobs.alerts("submit", "alerting", "--stateless", "--raise-from", raise_from.isoformat())
        pipeline.consume_until_time(time.monotonic() + 5)
    expected = scenario.verify()
    assert len({alert.entry_id for alert in expected.certain}) == count()
    reasons = {reason[0] for alert in expected.certain for reason in alert.reasons}
    assert reasons == {"s", "raised", "on its way"}
    first = {observed.record["alert_id"] for observed in pipeline.alerts[:drained]}
    again = [
        observed.record for observed in pipeline.alerts[drained:] if observed.record["alert_id"] in first
    ]
    entries = {scenario.id(f"e{number}") for number in range(before)}
    assert again, "nothing that had been raised came again: the time was after the stop"
    assert not entries & {record["entry_id"] for record in again}
