"""A job that reads and decodes bookings and does nothing with them: no job on Flink is quicker.

    flink run -py bench/peers/limit.py --config FILE OFFSETS

OFFSETS are where it begins, as Flink's Kafka connector takes them; it ends at the end of the topic.
"""

import sys
from pathlib import Path

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from account_alerts.config import load
from jobs.alerting_job import options
from jobs.options import configure
from jobs.sql import statement

NAME = "reading-limit"


def main(file: str, offsets: str) -> None:
    """Submit it."""
    config = load(Path(file))
    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    configure(table_env, {**options(config), "pipeline.name": NAME})
    table_env.execute_sql(statement("tables/account_entries.sql", config))
    table_env.execute_sql(
        f"""CREATE TABLE backlog WITH (
          'properties.group.id' = '{NAME}', 'scan.startup.mode' = 'specific-offsets',
          'scan.startup.specific-offsets' = '{offsets}', 'scan.bounded.mode' = 'latest-offset'
        ) LIKE account_entries (OVERWRITING OPTIONS)"""
    )
    table_env.execute_sql(
        """CREATE TABLE nowhere (entry_id STRING, account_id STRING, currency STRING, amount_minor BIGINT,
          credit_debit STRING, balance_minor BIGINT, booked_at TIMESTAMP_LTZ(3), entry_type STRING
        ) WITH ('connector' = 'blackhole')"""
    )
    table_env.execute_sql(
        """INSERT INTO nowhere SELECT entry_id, account_id, currency, amount_minor, credit_debit,
          balance_minor, booked_at, entry_type FROM backlog WHERE decode_error IS NULL"""
    )


if __name__ == "__main__":
    main(sys.argv[-2], sys.argv[-1])
