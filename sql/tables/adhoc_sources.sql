-- What analysts' rules found, and what was said of the rules (started, an operator's decisions), as it was written.
CREATE TABLE adhoc_sources (
  record_key   BYTES,
  record       BYTES,
  source_topic STRING NOT NULL METADATA FROM 'topic' VIRTUAL,
  written_at   TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${rule_hits};${analyst_rules}',
  ${kafka_client}
  'properties.group.id' = 'adhoc-alerts',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
