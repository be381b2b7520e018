"""Submits all jobs from one client, in the order in which the data flows: starting a client costs more than a
plan.

flink run -d -py jobs/all_jobs.py --config conf/local.yaml
"""

from jobs import alert_rules_job, alerting_job
from jobs.flink_sql import run

if __name__ == "__main__":
    run([alert_rules_job.build, alerting_job.build], __doc__)
