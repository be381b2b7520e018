-- What a customer asked to hear about, and where they can be reached: the newest record of each.
CREATE TABLE alert_settings (
  customer_id      STRING NOT NULL,
  `language`       STRING NOT NULL,
  time_zone        STRING NOT NULL,
  addresses        ARRAY<ROW<channel STRING NOT NULL, address STRING NOT NULL> NOT NULL> NOT NULL,
  settings         ARRAY<ROW<
    setting_id      STRING NOT NULL,
    account_id      STRING NOT NULL,
    currency        STRING NOT NULL,
    alert_type      STRING NOT NULL,
    channels        ARRAY<STRING NOT NULL> NOT NULL,
    threshold_minor BIGINT,
    `count`         INT,
    window_minutes  INT,
    snoozed_until   TIMESTAMP_LTZ(3)
  > NOT NULL> NOT NULL,
  quiet_from       STRING,
  quiet_to         STRING,
  digest           STRING,
  written_at       TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  PRIMARY KEY (customer_id) NOT ENFORCED
) WITH (
  'connector' = 'upsert-kafka',
  'topic' = '${alert_settings}',
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
