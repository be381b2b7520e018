-- A bad push alert goes to the dead letters as it came.
INSERT INTO dead_letters
SELECT
  customer_key,
  record,
  MAP['source.topic', ENCODE('${outbound_push}', 'UTF-8'),
      'source.partition', ENCODE(CAST(source_partition AS STRING), 'UTF-8'),
      'source.offset', ENCODE(CAST(source_offset AS STRING), 'UTF-8'),
      'reason', ENCODE(reason, 'UTF-8')]
FROM resolved_alerts
WHERE reason IS NOT NULL
