-- What makes Python look around: the time in milliseconds, a row every ${heartbeat_interval}.
CREATE TABLE ticks (
  now BIGINT NOT NULL
) WITH (
  'connector' = 'clock',
  'interval' = '${heartbeat_interval}'
)
