-- The time goes through every partition of click-events: what was written before a heartbeat has been read before it.
-- The keys depend on the beat in form only: Flink would join constants, and keep every beat for that.
INSERT INTO click_heartbeats
SELECT TRIM(record_key), CAST(NULL AS BYTES)
FROM (SELECT CASE WHEN now > 0 THEN ARRAY[${clicks_heartbeats}] END AS record_keys FROM beats)
CROSS JOIN UNNEST(record_keys) AS partitions (record_key)
