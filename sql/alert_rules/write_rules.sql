-- Rules and heartbeats to the topic `alert-rules`, in the order in which they were made.
INSERT INTO alert_rules_log
SELECT record_key, record, TO_TIMESTAMP_LTZ(record_time, 3)
FROM folded_rules
