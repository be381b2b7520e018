"""Submits all jobs from one client, as starting a client costs more than a plan; in the order of the data.

flink run -d -py jobs/all_jobs.py --config conf/local.yaml             alerting
flink run -d -py jobs/all_jobs.py --config conf/local.yaml --full      device-resolver and reminders, too
"""

import argparse

from jobs import alerting_job, device_resolver_job, reminders_job
from jobs.runner import run

JOBS = (alerting_job.build,)
FULL = (*JOBS, device_resolver_job.build, reminders_job.build)

if __name__ == "__main__":
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--full", action="store_true")
    asked, others = own.parse_known_args()
    run(FULL if asked.full else JOBS, __doc__, others)
