-- The time goes through every partition of click-events: what was written before a heartbeat has been read before it.
INSERT INTO click_heartbeats
SELECT record_key, CAST(NULL AS BYTES)
FROM beats
CROSS JOIN UNNEST(ARRAY[${clicks_heartbeats}]) AS partitions (record_key)
