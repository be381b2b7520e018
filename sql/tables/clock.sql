-- The time of day every ${clock_interval}, for the watermark of the bookings: they are complete up to the
-- rules_time of this moment, and no silence of Kafka holds the next one back. ${clock_skew} s ahead of it, for brokers
-- whose clocks are.
CREATE TABLE clock (
  now        TIMESTAMP_LTZ(3) NOT NULL,
  rules_time AS now - INTERVAL '${effect_delay}' SECOND,
  WATERMARK FOR rules_time AS now - INTERVAL '${effect_delay}' SECOND + INTERVAL '${clock_skew}' SECOND
) WITH (
  'connector' = 'clock',
  'interval' = '${clock_interval}',
  'scan.watermark.emit.strategy' = 'on-event'
)
