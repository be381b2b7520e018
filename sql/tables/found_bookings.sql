-- What analysts' rules found, as the job that makes their alerts reads it (rule_hits is where it is written): a row for each
-- time that it was found. What is no such record is a row of nulls, or none; so is one that a rule takes back.
CREATE TABLE found_bookings (
  rule            STRING,
  entry_id        STRING,
  customer_id     STRING,
  account_id      STRING,
  currency        STRING,
  amount_minor    BIGINT,
  balance_minor   BIGINT,
  booked_at       BIGINT,
  written_at      BIGINT,
  threshold_minor BIGINT,
  channels        STRING,
  per_minute      INT,
  found_at        TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${rule_hits}',
  ${kafka_client}
  'properties.group.id' = 'adhoc-alerts',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true'
)
