-- A clock: one row a second.
CREATE TABLE ticks (
  tick BIGINT NOT NULL
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1'
)
