-- A clock: so many rows a second.
CREATE TABLE ticks (
  tick BIGINT NOT NULL
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '${ticks_per_second}'
)
