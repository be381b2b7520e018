-- Push alerts on their way to the customer's devices, one row each, also those that cannot be read: decode_error then says why,
-- and record has the bytes.
CREATE TABLE outbound_push (
  customer_key     BYTES,
  alert_id         STRING NOT NULL,
  customer_id      STRING NOT NULL,
  channel          STRING NOT NULL,
  address          STRING NOT NULL,
  alert_type       STRING NOT NULL,
  account_id       STRING NOT NULL,
  currency         STRING NOT NULL,
  entry_id         STRING NOT NULL,
  setting_id       STRING NOT NULL,
  booked_at        TIMESTAMP_LTZ(3) NOT NULL,
  raised_at        TIMESTAMP_LTZ(3) NOT NULL,
  `language`       STRING NOT NULL,
  params           MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL,
  reasons          ARRAY<ROW<
    setting_id      STRING NOT NULL,
    alert_type      STRING NOT NULL,
    threshold_minor BIGINT,
    `count`         INT,
    window_minutes  INT
  > NOT NULL> NOT NULL,
  source_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset    BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  decode_error     STRING METADATA FROM 'value.decode-error' VIRTUAL,
  record           BYTES METADATA FROM 'value.bytes' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${outbound_push}',
  ${kafka_client}
  'properties.group.id' = 'device-resolver',
  'properties.fetch.min.bytes' = '1',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'customer_key',
  'value.format' = 'alerts-avro',
  ${decoding}
  'value.fields-include' = 'EXCEPT_KEY'
)
