-- The alerts of a match for a customer, by make_alerts (udfs/analyst_rules/matches.py): one for each address on a channel
-- that the rule wants; where there is none, one row without an address. The alert type is the rule's name.
-- Addresses go to Python as JSON: in thread mode Flink makes all rows of an array one, and fails at a null.
CREATE TEMPORARY VIEW analyst_alerts AS
SELECT
  r.customer_id, a.alert_id, a.channel, a.address, r.rule AS alert_type, r.account_id, r.currency, r.entry_id,
  CONCAT('adhoc:', r.rule) AS setting_id, r.`language`, r.amount_minor, r.balance_minor, r.threshold_minor,
  EXTRACT(EPOCH FROM r.booked_at) * 1000 + EXTRACT(MILLISECOND FROM r.booked_at) AS booked_at,
  r.written_at, r.found_at, r.per_minute
FROM reachable_recipients AS r
CROSS JOIN LATERAL TABLE(make_alerts(
    ENCODE(r.entry_id, 'UTF-8'), ENCODE(r.customer_id, 'UTF-8'), ENCODE(CONCAT('adhoc:', r.rule), 'UTF-8'),
    r.channels, JSON_STRING(r.addresses)))
  AS a (alert_id, channel, address)
