-- The records about analysts' rules with their Kafka time in milliseconds, for Python.
CREATE TEMPORARY VIEW adhoc_records AS
SELECT
  record_key, record, source_topic,
  EXTRACT(EPOCH FROM written_at) * 1000 + EXTRACT(MILLISECOND FROM written_at) AS written_ms
FROM adhoc_sources
