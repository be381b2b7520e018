-- Everything asked for about an account, one row per account, made by jobs/alert_rules_job.py. A rule carries the time
-- in which it holds, so the newest row answers for every booking, late ones too: that is why it counts 'since' half of
-- its version, a time long before any booking. The row of the highest version wins, whichever came last. A row that ends an account has no version; the empty one stays.
-- The watermark says up to which Kafka time the rules are complete: known_until, moved on by heartbeat rows.
CREATE TABLE alert_rules (
  account_id  STRING NOT NULL,
  known_until TIMESTAMP_LTZ(3) NOT NULL,
  version     BIGINT,
  rules       ARRAY<ROW<
    customer_id     STRING NOT NULL,
    setting_id      STRING NOT NULL,
    alert_type      STRING NOT NULL,
    currency        STRING NOT NULL,
    threshold_minor BIGINT,
    `count`         INT,
    window_minutes  INT,
    `language`      STRING NOT NULL,
    channels        ARRAY<STRING NOT NULL> NOT NULL,
    address_channels ARRAY<STRING NOT NULL> NOT NULL,
    addresses       ARRAY<STRING NOT NULL> NOT NULL,
    valid_from      TIMESTAMP_LTZ(3) NOT NULL,
    valid_to        TIMESTAMP_LTZ(3)
  > NOT NULL> NOT NULL,
  counted     ARRAY<STRING NOT NULL> NOT NULL,
  since AS TO_TIMESTAMP_LTZ(COALESCE(version, 0) / 2, 3),
  PRIMARY KEY (account_id) NOT ENFORCED,
  WATERMARK FOR since AS known_until
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${alert_rules}',
  ${kafka_client}
  'properties.group.id' = 'alerting-rules',
  'scan.parallelism' = '${rules_readers}',
  'scan.watermark.emit.strategy' = 'on-event',
  'key.format' = 'raw',
  'value.format' = 'alerts-avro',
  'value.alerts-avro.broken-records' = 'skip',
  ${decoding}
  'value.fields-include' = 'EXCEPT_KEY'
)
