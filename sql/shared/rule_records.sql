-- The records about rules with their Kafka time in milliseconds, for Python.
CREATE TEMPORARY VIEW rule_records AS
SELECT
  record_key, record, source_topic, source_partition, source_offset,
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at) AS written_ms
FROM rule_sources
