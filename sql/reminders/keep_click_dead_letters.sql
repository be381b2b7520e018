-- An event that cannot be used goes to the dead letters as it came.
INSERT INTO dead_letters
SELECT
  event_key,
  record,
  MAP['source.topic', ENCODE('${click_events}', 'UTF-8'),
      'source.partition', ENCODE(CAST(source_partition AS STRING), 'UTF-8'),
      'source.offset', ENCODE(CAST(source_offset AS STRING), 'UTF-8'),
      'reason', ENCODE(reason, 'UTF-8')]
FROM clicks
WHERE reason IS NOT NULL
