-- When the rules are overdue, bookings go on after rules.max_wait with the newest known (udfs/overdue_rules.py).
INSERT INTO alert_rules_log
SELECT o.record_key, o.record, TO_TIMESTAMP_LTZ(o.record_time, 3)
FROM ticks
CROSS JOIN LATERAL TABLE(overdue_rules(tick)) AS o(record_key, record, record_time)
