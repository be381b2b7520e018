-- Who may see an account: the newest record of each.
CREATE TABLE account_authorizations (
  account_id       STRING NOT NULL,
  customer_ids     ARRAY<STRING NOT NULL> NOT NULL,
  written_at       TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  PRIMARY KEY (account_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${account_authorizations}',
  ${kafka_client}
  'properties.group.id' = 'adhoc',
  'key.format' = 'raw',
  'value.format' = 'alerts-avro',
  'value.alerts-avro.broken-records' = 'skip',
  ${decoding}
  'value.alerts-avro.largest-record' = '${record_bytes}',
  'value.alerts-avro.longest-text' = '${text_bytes}',
  'value.fields-include' = 'ALL'
)
