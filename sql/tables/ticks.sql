-- What makes Python look around: the time in milliseconds, a row every ${probe_interval}.
CREATE TABLE ticks (
  now BIGINT NOT NULL
) WITH (
  'connector' = 'clock',
  'interval' = '${probe_interval}'
)
