-- When the rules are overdue, bookings go on after rules.max_wait with the newest known (udfs/alerting/stale_rules.py).
INSERT INTO alert_rules_log
SELECT record_key, record, TO_TIMESTAMP_LTZ(record_time, 3)
FROM overdue_rules
