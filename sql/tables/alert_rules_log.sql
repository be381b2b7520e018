-- Where the rules are written: encoded rows, and a row without a value to end an account. record_time is the Kafka
-- time of the change, or of a heartbeat the time up to which the rules are complete.
CREATE TABLE alert_rules_log (
  record_key  STRING NOT NULL,
  record      BYTES,
  record_time TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp'
) WITH (
  'connector' = 'kafka',
  'topic' = '${alert_rules}',
  ${kafka_client}
  ${kafka_producer}
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
