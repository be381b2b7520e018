-- The bookings of a file, for trying a rule on them: JSON lines, and as if each had come to Kafka when it was booked. It
-- takes the place of account_entries, so that the same checks and views stand on it.
CREATE TABLE bookings_of_a_file (
  written_at   TIMESTAMP_LTZ(3) NOT NULL,
  decode_error STRING,
  arrived_at AS PROCTIME(),
  WATERMARK FOR written_at AS written_at - INTERVAL '1' SECOND
) WITH (
  'connector' = 'filesystem',
  'path' = '${bookings_file}',
  'format' = 'json',
  'json.timestamp-format.standard' = 'SQL'
) LIKE account_entries (EXCLUDING METADATA EXCLUDING GENERATED EXCLUDING WATERMARKS EXCLUDING OPTIONS)
