-- A bad booking goes to the dead letters as it came.
INSERT INTO dead_letters
SELECT
  entry_key,
  record,
  MAP['source.topic', ENCODE('${account_entries}', 'UTF-8'),
      'source.partition', ENCODE(CAST(source_partition AS STRING), 'UTF-8'),
      'source.offset', ENCODE(CAST(source_offset AS STRING), 'UTF-8'),
      'reason', ENCODE(reason, 'UTF-8')]
FROM checked_entries
WHERE reason IS NOT NULL
