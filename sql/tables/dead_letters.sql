-- What could not be used: the record as it came, with where it came from and why in its headers.
CREATE TABLE dead_letters (
  record_key   BYTES,
  record_value BYTES,
  headers      MAP<STRING NOT NULL, BYTES> METADATA
) WITH (
  'connector' = 'kafka',
  'topic' = '${dead_letters}',
  ${kafka_client}
  ${kafka_producer}
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
