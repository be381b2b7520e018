-- Every record about what a customer asked for, as it was written: see authorization_records.
CREATE TABLE setting_records (
  record_key       BYTES,
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
  source_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset    BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  decode_error     STRING METADATA FROM 'value.decode-error' VIRTUAL,
  record           BYTES METADATA FROM 'value.bytes' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${alert_settings}',
  ${kafka_client}
  'properties.group.id' = 'alerting',
  'properties.fetch.min.bytes' = '1',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'alerts-avro',
  ${decoding}
  'value.alerts-avro.largest-record' = '${record_bytes}',
  'value.alerts-avro.longest-text' = '${text_bytes}',
  'value.fields-include' = 'EXCEPT_KEY'
)
