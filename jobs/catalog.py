"""The jobs: their names on the cluster, and their files."""

from account_alerts.model.errors import OperationError

ALERTING = "alerting"
DEVICE_RESOLVER = "device-resolver"
REMINDERS = "reminders"
ANALYST_ALERTS = "adhoc-alerts"
"""The job that finds the customers of what analysts' rules find; savepoints and groups have this name."""
JOBS = {ALERTING: "alerting_job.py"}
"""The jobs of every installation: their names on the cluster and their files."""
TEMPORAL_JOIN = "temporal join"
"""How the name of the operator begins that joins bookings with authorizations and settings."""
RULE_TABLES = ("authorization_records", "setting_records")
"""The tables that the job alerting reads authorizations and settings from."""
ALL_JOBS = "all_jobs.py"
FULL = {**JOBS, DEVICE_RESOLVER: "device_resolver_job.py", REMINDERS: "reminders_job.py"}
"""The jobs of the profile `full`: with those of ingestion and delivery."""
FILES = {**FULL, ANALYST_ALERTS: "analyst_alerts_job.py"}
"""The jobs that can be named: those of the profile `full`, and the one that analysts' rules need."""
RULE = "rule-"
"""How the names of the rules' own jobs begin."""
RULE_FILE = "analyst_rule_job.py"
"""The file of the rules' own jobs."""


def known(job: str) -> str:
    """Return the job that a command's argument names.

    Raises:
        OperationError: There is no such job.
    """
    if job not in FILES:
        raise OperationError(f"{job}: no such job. There are: {', '.join(FILES)}.")
    return job


def job_file(name: str) -> str:
    """Return the file of a job, in jobs/."""
    return RULE_FILE if name.startswith(RULE) else FILES[name]
