-- When an alert is raised. A booking meets the rules of its account that held at its rules_time, in its currency.
CREATE TEMPORARY VIEW raised_alerts AS
SELECT
  e.entry_id, e.account_id, e.currency, e.amount_minor, e.balance_minor, e.booked_at,
  r.customer_id, r.setting_id, r.alert_type, r.threshold_minor, r.`language`, r.channels, r.address_channels, r.addresses
FROM good_entries AS e
JOIN alert_rules FOR SYSTEM_TIME AS OF e.rules_time AS a ON a.account_id = e.account_id
CROSS JOIN UNNEST(a.rules) AS r
WHERE r.currency = e.currency
  AND r.valid_from <= e.rules_time
  AND (r.valid_to IS NULL OR e.rules_time < r.valid_to)
  AND CASE r.alert_type
    -- The booking took the balance over the threshold, or under it. The balance before it may not fit 64 bits.
    WHEN 'BALANCE_ABOVE' THEN e.balance_minor > r.threshold_minor AND e.balance_minor - e.signed_minor <= r.threshold_minor
    WHEN 'BALANCE_BELOW' THEN e.balance_minor < r.threshold_minor AND e.balance_minor - e.signed_minor >= r.threshold_minor
    WHEN 'CREDITED_ABOVE' THEN e.credit_debit = 'CRDT' AND e.amount_minor > r.threshold_minor
    WHEN 'DEBITED_ABOVE' THEN e.credit_debit = 'DBIT' AND e.amount_minor > r.threshold_minor
    ELSE FALSE
  END
