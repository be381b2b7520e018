-- A record that cannot be used goes to the dead letters as it came. The job fills in (jobs/sql.py, keep_dead_letters) the
-- source, where such records and their reason are; the column of their key; and the topic they came from.
INSERT INTO dead_letters
SELECT
  ${key},
  record,
  MAP['source.topic', ENCODE(${topic}, 'UTF-8'),
      'source.partition', ENCODE(CAST(source_partition AS STRING), 'UTF-8'),
      'source.offset', ENCODE(CAST(source_offset AS STRING), 'UTF-8'),
      'reason', ENCODE(reason, 'UTF-8')]
FROM ${source}
