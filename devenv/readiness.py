"""Waits until the rules have caught up: the temporal join knows authorizations and settings up to now."""

import time

from account_alerts.config import Config
from account_alerts.model.errors import OperationError
from account_alerts.service.clock import SYSTEM_CLOCK
from jobs.catalog import ALERTING, RULE_TABLES, TEMPORAL_JOIN
from operations.flink.rest import FlinkRest, newest_job
from operations.flink.savepoints import patient
from operations.waiting import print_progress, wait_for

_RULES_SECONDS = 3600.0
"""A first load is as long as it is: millions of customers take minutes."""
_REPORT_SECONDS = 15.0


def wait_for_rules(config: Config) -> None:
    """Wait until the watermark of the rules at the temporal join has reached the time of this call.

    Raises:
        OperationError: The job does not run, or the rules have not caught up in time.
    """
    flink = FlinkRest(config.flink.rest_url)
    asked_at, reported = SYSTEM_CLOCK.now_ms(), time.monotonic()

    def caught_up() -> bool:
        nonlocal reported
        job = newest_job(flink, ALERTING)
        if job is None:
            return False  # A JobManager that was started anew: the reconciler brings the job back.
        if not job.live:
            raise OperationError(f"{ALERTING}: {job.state}. {flink.last_failure(job.id)}")
        known_until = flink.watermark(job.id, TEMPORAL_JOIN)
        if known_until is not None and known_until >= asked_at:
            return True
        if time.monotonic() - reported > _REPORT_SECONDS:
            reported = time.monotonic()
            left = [flink.total(job.id, "pendingRecords", table) for table in RULE_TABLES]
            records = "?" if None in left else f"{sum(filter(None, left)):,}"
            print_progress(f"rules: {records} records of authorizations and settings are still to be read")
        return False

    wait_for(
        "rules caught up",
        patient(caught_up),
        _RULES_SECONDS,
        f"Look at the job {ALERTING} on {flink.url}; docs/operations/runbook.md, 'The rules are stale'.",
    )
    print_progress("rules have caught up")
