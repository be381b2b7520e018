-- When a heartbeat is due: a row every ${clicks_heartbeat_interval}.
CREATE TABLE beats (
  now BIGINT NOT NULL
) WITH (
  'connector' = 'clock',
  'interval' = '${clicks_heartbeat_interval}'
)
