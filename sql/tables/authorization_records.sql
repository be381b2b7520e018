-- Every record about who may see an account, as it was written: tombstones (record is null) and records that cannot be
-- read (decode_error says why) are rows, too. The jobs read this and not account_authorizations: upsert-kafka gives a
-- tombstone the time of the row it deletes.
CREATE TABLE authorization_records (
  record_key       BYTES,
  account_id       STRING NOT NULL,
  customer_ids     ARRAY<STRING NOT NULL> NOT NULL,
  written_at       TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL,
  source_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset    BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  decode_error     STRING METADATA FROM 'value.decode-error' VIRTUAL,
  record           BYTES METADATA FROM 'value.bytes' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${account_authorizations}',
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
