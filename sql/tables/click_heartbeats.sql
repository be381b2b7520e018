-- Where the time is written into click-events: a record without a value, under a key that Kafka puts into the partition.
CREATE TABLE click_heartbeats (
  record_key STRING NOT NULL,
  record     BYTES
) WITH (
  'connector' = 'kafka',
  'topic' = '${click_events}',
  ${kafka_client}
  ${kafka_producer}
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
