-- What was said of analysts' rules (started, an operator's decisions), as it was written; by the rule's name and, behind a
-- colon, what it is about (account_alerts/model/analyst_rule_keys.py).
CREATE TABLE analyst_rules (
  record_key   BYTES,
  record       BYTES,
  written_at   TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${analyst_rules}',
  ${kafka_client}
  'properties.group.id' = 'adhoc-alerts',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
