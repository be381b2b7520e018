-- What customers did on the bank's web pages and in its app, also what cannot be read: decode_error then says why, and
-- record has the bytes. The time that counts is Kafka's: devices' clocks are anyone's.
CREATE TABLE click_events (
  event_key        BYTES,
  event_id         STRING NOT NULL,
  customer_id      STRING NOT NULL,
  event_type       STRING NOT NULL,
  occurred_at      TIMESTAMP_LTZ(3) NOT NULL,
  application_id   STRING,
  session_id       STRING,
  product          STRING,
  page             STRING,
  attributes       MAP<STRING NOT NULL, STRING NOT NULL>,
  written_at       TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  source_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset    BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  decode_error     STRING METADATA FROM 'value.decode-error' VIRTUAL,
  record           BYTES METADATA FROM 'value.bytes' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${click_events}',
  ${kafka_client}
  'properties.group.id' = 'reminders',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'event_key',
  'value.format' = 'alerts-avro',
  ${decoding}
  'value.alerts-avro.largest-record' = '${record_bytes}',
  'value.fields-include' = 'EXCEPT_KEY'
)
