-- Every record about rules as it was written, tombstones and broken ones too, with its place in Kafka. The job that
-- makes the rules reads this and not the upsert-kafka tables: those give a tombstone the time of the row it deletes,
-- and let a broken record take the place of the last good one.
CREATE TABLE rule_sources (
  record_key       BYTES,
  record           BYTES,
  source_topic     STRING NOT NULL METADATA FROM 'topic' VIRTUAL,
  source_partition INT NOT NULL METADATA FROM 'partition' VIRTUAL,
  source_offset    BIGINT NOT NULL METADATA FROM 'offset' VIRTUAL,
  written_at       TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL
) WITH (
  'connector' = 'kafka',
  'topic' = '${account_authorizations};${alert_settings}',
  ${kafka_client}
  'properties.group.id' = 'reminders-settings',
  'scan.startup.mode' = 'earliest-offset',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'raw',
  'value.fields-include' = 'EXCEPT_KEY'
)
