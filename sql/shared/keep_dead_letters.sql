-- A record that cannot be used goes to the dead letters as it came. The job fills in (jobs/sql.py, keep_dead_letters) the
-- source, where such records and their reason are; the column of their key; and the topic they came from.
INSERT INTO dead_letters
SELECT letter.record_key, letter.record_value, letter.headers
FROM (
  SELECT ${key} AS original_key, record, ${topic} AS topic, source_partition, source_offset, reason FROM ${source}
) AS bad, LATERAL TABLE(dead_letter(original_key, record, topic, source_partition, source_offset, reason,
  ${dead_letter_key}, ${dead_letter_record}, ${dead_letter_reason})) AS letter
