-- A record about rules that could not be used, or not all of it, goes to the dead letters as it came.
INSERT INTO dead_letters
SELECT
  record_key,
  record,
  MAP['source.topic', ENCODE(source_topic, 'UTF-8'),
      'source.partition', ENCODE(CAST(source_partition AS STRING), 'UTF-8'),
      'source.offset', ENCODE(CAST(source_offset AS STRING), 'UTF-8'),
      'reason', ENCODE(reason, 'UTF-8')]
FROM rule_dead_letters
